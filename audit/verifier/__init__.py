"""What an auditor runs: one file that needs nothing of this repository."""
