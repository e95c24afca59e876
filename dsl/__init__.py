"""The flow language: text to syntax tree to typed model. Knows no server."""
