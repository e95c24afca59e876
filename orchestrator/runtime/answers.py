"""Answers as they come over the bus, and as a saga reads them."""

from __future__ import annotations

import base64
import json

from orchestrator.messaging.codec_error import DecodeError
from orchestrator.messaging.envelope import Envelope
from orchestrator.messaging.payloads import Payloads, is_binary
from orchestrator.runtime.wire import Answer


def answer_of(envelope: Envelope) -> Answer:
    """The answer in a message, of whatever contract."""
    if is_binary(envelope.content_type):
        encoded = base64.b64encode(envelope.data).decode()
        kind = envelope.content_type
        return Answer(envelope.type, message=envelope.id, encoded=encoded, content_type=kind)
    try:
        return Answer(envelope.type, json.loads(envelope.data), message=envelope.id)
    except ValueError as error:
        return Answer(envelope.type, invalid=f"it is not JSON ({error})", message=envelope.id)


def readable(answer: Answer, payloads: Payloads) -> Answer:
    """The answer with its payload in JSON wire form, whatever it was written in."""
    if answer.encoded is None or answer.content_type is None:
        return answer
    data = base64.b64decode(answer.encoded)
    try:
        wire = payloads.read(data, answer.content_type, answer.type)
    except DecodeError as error:
        return Answer(answer.type, invalid=f"`{answer.type}`: {error}", message=answer.message)
    return Answer(answer.type, wire, message=answer.message)
