"""The bytes of messages, in the format that each one's service declares.

Everything else knows payloads in their JSON wire form (`JsonCodec.to_wire`); here that becomes
bytes, and bytes of any of the formats become that again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from dsl.model import CommandModel, EventModel, WireFormat, wire_type
from orchestrator.messaging.codec import Types, read_json, write_json
from orchestrator.messaging.codec_error import DecodeError, EncodeError
from orchestrator.messaging.envelope import JSON

AVRO, PROTOBUF = "application/avro", "application/protobuf"


class Format(Protocol):
    """One binary format."""

    def encode(self, wire: Any, qualified: str) -> bytes:
        """A message's JSON wire form as bytes."""

    def decode(self, data: bytes, qualified: str) -> Any:
        """The JSON wire form of a message, whose types are still to be checked. Raises
        DecodeError."""


class Contracts(Types, Protocol):
    """Types, and the messages made of them; a plan is one."""

    @property
    def messages(self) -> Iterable[CommandModel | EventModel]:
        """All commands and events."""


class Payloads:
    """Writes and reads the messages of some contracts, by their wire type. What is read is of the
    format that its content type says, so that a service may go from one format to another."""

    def __init__(self, contracts: Contracts) -> None:
        self._types = contracts
        self._messages = {wire_type(m.name): m for m in contracts.messages}
        self._made: dict[str, Format] = {}

    def write(self, wire: Any, type: str) -> tuple[bytes, str]:
        """The bytes of a message in JSON wire form, and their content type. Raises EncodeError."""
        message = self._messages.get(type)
        if message is None or message.wire is WireFormat.JSON:
            return write_json(wire), JSON
        kind = AVRO if message.wire is WireFormat.AVRO else PROTOBUF
        try:
            return self._format(kind).encode(wire, message.name), kind
        except UnicodeEncodeError:
            raise EncodeError("holds text with lone surrogates") from None

    def read(self, data: bytes, content_type: str, type: str) -> Any:
        """The JSON wire form of a message. Raises DecodeError."""
        if not is_binary(content_type):
            return read_json(data)
        message = self._messages.get(type)
        if message is None:
            raise DecodeError(f"is a `{type}`, which has no contract here")
        return self._format(_kind(content_type)).decode(data, message.name)

    def _format(self, content_type: str) -> Format:
        if content_type not in self._made:
            # Most flows need neither library.
            if content_type == AVRO:
                from orchestrator.messaging.avro import AvroFormat

                self._made[content_type] = AvroFormat(self._types)
            else:
                from orchestrator.messaging.protobuf import ProtobufFormat

                self._made[content_type] = ProtobufFormat(self._types)
        return self._made[content_type]


def is_binary(content_type: str) -> bool:
    """Whether bytes of this content type are no text."""
    return _kind(content_type) in (AVRO, PROTOBUF)


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
