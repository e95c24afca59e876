"""Expressions: CEL's syntax and meaning, typed when checked, compiled once to closures."""
