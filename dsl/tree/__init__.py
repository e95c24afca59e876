"""Builds the syntax tree while the parser reduces."""
