"""Connecting to Temporal."""

from __future__ import annotations

from temporalio.client import Client


class TemporalError(Exception):
    """Temporal is out of reach or refuses; one sentence."""


async def connect(address: str, namespace: str = "default") -> Client:
    """A client of the server at `host:port`. Raises TemporalError when it does not answer."""
    try:
        return await Client.connect(address, namespace=namespace)
    except RuntimeError as error:
        raise TemporalError(
            f"Temporal does not answer at {address}: is it running? (`orchestrate dev` starts one)"
        ) from error
