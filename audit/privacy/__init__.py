"""Forgetting with proof: legal holds, erasure of a person, retention, and what a person may have of their own.

Every function of the database that takes something away asks for the portal's own event that says so, and refuses what
a hold covers (migrations/sql/0011_privacy.sql). What is here prepares that event and calls them.
"""
