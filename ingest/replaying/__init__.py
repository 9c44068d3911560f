"""Sends captured OTLP requests to a receiver: what lies in files (captures), one connection (client), the whole run."""
