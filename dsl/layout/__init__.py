"""Where the words of a flow go on the page."""
