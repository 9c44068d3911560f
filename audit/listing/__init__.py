"""What lists and pages of evidence are made of: words, badges, keyset paging, counts with a limit, downloads."""
