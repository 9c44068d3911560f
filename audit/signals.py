"""What other apps hear of evidence."""

from django.dispatch import Signal

person_erased = Signal()
"""Sent inside the transaction that ends an erasure, with `names`, the texts (lower case) that named the person.

For what other apps keep and evidence does not know of.
"""

person_exported = Signal()
"""Sent for what a person may have of their own, with `names` as above. A receiver answers with pairs of a word that
says what a row is, and the row as a mapping: what its app keeps of them.
"""
