"""What goes wrong with the store."""

from __future__ import annotations


class StoreError(Exception):
    """The database is out of reach or does not fit; the message is one sentence for a person and
    holds no password."""


class ConflictError(StoreError):
    """Something is stored under this name already, and it is not the same."""
