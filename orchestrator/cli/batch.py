"""A file of sagas to run."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.cli.errors import CommandError
from orchestrator.cli.jsontext import read_json_file

#: Stands for a new UUID wherever it is a whole text, so that a file can be run again and again.
FRESH = "$uuid"


@dataclass(frozen=True, slots=True)
class Batch:
    """The saga's name, and the parameters of each instance."""

    saga: str
    inputs: list[dict[str, Any]]


def read_batch(path: Path) -> Batch:
    """Reads `{"saga": …, "inputs": [{…}, …]}`. Raises CommandError."""
    found = read_json_file(path)
    fits = (
        isinstance(found, dict)
        and isinstance(found.get("saga"), str)
        and isinstance(found.get("inputs"), list)
        and all(isinstance(i, dict) for i in found["inputs"])
    )
    if not fits:
        raise CommandError(f'{path} is not of the form {{"saga": …, "inputs": [{{…}}, …]}}')
    return Batch(found["saga"], [_fresh(i) for i in found["inputs"]])


def _fresh(value: Any) -> Any:
    if value == FRESH:
        return str(uuid.uuid4())
    if isinstance(value, dict):
        return {k: _fresh(v) for k, v in value.items()}
    return [_fresh(v) for v in value] if isinstance(value, list) else value
