"""Who is who: identities from all sources, joined into people; changes by hand; imported lists (docs/people.md)."""
