"""What an editor asks of the language: analysis of texts while they are written. No server."""
