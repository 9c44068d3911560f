"""How fast the portal is on this machine, with its real processes and a real database; see docs/bench.md."""
