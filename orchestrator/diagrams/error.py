"""What goes wrong while a picture is made."""

from __future__ import annotations


class DiagramError(Exception):
    """One sentence for the user."""
