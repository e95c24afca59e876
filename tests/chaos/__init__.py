"""Faults on purpose: `make chaos` and the tests beside it."""
