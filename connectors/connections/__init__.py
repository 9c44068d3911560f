"""Connections to vendors: made, checked, changed and ended (lifecycle, checking), and how they are (health)."""
