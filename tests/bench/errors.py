"""What stops a benchmark."""

from __future__ import annotations


class BenchError(Exception):
    """A benchmark that cannot be run or finished; the message is for a person."""
