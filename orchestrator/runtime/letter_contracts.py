"""What a dead letter should have said, by the contracts of what is deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from dsl.model import wire_type
from dsl.types import Named
from orchestrator.compile.stored import read_plan
from orchestrator.messaging.codec import JsonCodec
from orchestrator.messaging.payloads import Payloads
from orchestrator.store import versions


@dataclass(frozen=True, slots=True)
class Contract:
    """One message's."""

    name: str
    codec: JsonCodec
    payloads: Payloads

    def write(self, wire: Any) -> tuple[bytes, str]:
        """Its bytes and content type from its JSON wire form. Raises CodecError."""
        self.codec.from_wire(wire, Named(self.name))
        return self.payloads.write(wire, wire_type(self.name))

    def check(self, data: bytes, content_type: str) -> None:
        """Raises DecodeError for bytes that are no such message."""
        wire = self.payloads.read(data, content_type, wire_type(self.name))
        self.codec.from_wire(wire, Named(self.name))


async def find_contract(session: AsyncSession, type: str | None) -> Contract | None:
    """That of a wire type in the current versions; None where no saga deals with it."""
    for module, version in (await versions.current(session)).items():
        stored = await versions.find_version(session, module, version)
        assert stored, "a current version is a stored one"
        plan = read_plan(stored.plan)
        for message in plan.messages:
            if wire_type(message.name) == type:
                return Contract(message.name, JsonCodec(plan), Payloads(plan))
    return None
