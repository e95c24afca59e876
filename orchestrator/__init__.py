"""Runs flows: compiles them, deploys them, serves them with Temporal and Kafka."""
