"""Runs the portal's processes on one machine, and its commands with the servers they need."""
