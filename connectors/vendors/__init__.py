"""Vendors that are asked for usage: one folder each, pure of Django and of the database (connectors.vendors.shape)."""
