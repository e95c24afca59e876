"""Kafka and its in-process double behind one port; envelopes, codecs, dead letters."""
