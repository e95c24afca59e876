"""Deploying: checked flows to stored versions, topics and Temporal's current version."""
