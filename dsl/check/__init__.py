"""From syntax trees to the typed model: one concern each, driven by `program`."""
