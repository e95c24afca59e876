"""JSON that a person gave, read strictly, with errors that name the place."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from orchestrator.cli.errors import CommandError

_MOST_DIGITS = 1000


def read_json_file(path: Path) -> Any:
    """The value in a file. Raises CommandError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    return read_json_bytes(data, str(path))


def read_json_option(text: str, option: str) -> Any:
    """The value of an option: JSON itself, `@file`, or `-` for standard input. Raises
    CommandError."""
    if text == "-":
        return read_json_bytes(sys.stdin.buffer.read(), "standard input")
    if text.startswith("@"):
        return read_json_file(Path(text[1:]))
    return _from_text(text, option)


def read_json_bytes(data: bytes, source: str) -> Any:
    """The value in some bytes; `source` names them. Raises CommandError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{source} is not UTF-8: byte {error.start} is not") from None
    return _from_text(text, source)


def _from_text(text: str, source: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse, parse_int=_whole)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise CommandError(f"{source} is not JSON: {error.msg.lower()} at {place}") from None
    except RecursionError:
        raise CommandError(f"{source} is nested too deeply") from None
    except ValueError as error:
        raise CommandError(f"{source} is not JSON: {error}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number there")


def _whole(digits: str) -> int:
    # Python refuses to read thousands of digits, and says so in words of its own.
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)
