"""Diagnostics for code review tools: SARIF 2.1.0 and GitHub's workflow commands."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from dsl.codes import CODES
from dsl.diagnostic import Diagnostic
from dsl.source import Span

#: https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def to_sarif(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """One SARIF log with one run; columns count UTF-16 code units, as is SARIF's default."""
    from importlib.metadata import version  # costs a start 13 ms

    found = tuple(diagnostics)
    codes = sorted({d.code for d in found})
    driver = {
        "name": "orchestrate",
        "version": version("orchestrate"),
        "rules": [{"id": c, "shortDescription": {"text": CODES[c]}} for c in codes],
    }
    results = [_result(d, codes.index(d.code)) for d in found]
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def to_github(diagnostic: Diagnostic) -> str:
    """A workflow command that annotates the place in a pull request."""
    line, column = diagnostic.at.source.position(diagnostic.at.start)
    end_line, end_column = diagnostic.at.source.position(diagnostic.at.end)
    properties = {
        "file": _uri(diagnostic.at.source.path),
        "line": line,
        "endLine": end_line,
        "title": diagnostic.code,
    }
    if line == end_line:  # GitHub refuses columns for a range of lines
        properties |= {"col": column, "endColumn": end_column}
    said = ",".join(f"{k}={_escaped(str(v), ':,')}" for k, v in properties.items())
    return f"::{diagnostic.severity} {said}::{_escaped(_sentence(diagnostic))}"


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": str(diagnostic.severity),
        "message": {"text": _sentence(diagnostic)},
        "locations": [_location(diagnostic.at)],
    }
    if diagnostic.also:
        result["relatedLocations"] = [
            {**_location(n.at), "message": {"text": n.label}} for n in diagnostic.also
        ]
    if diagnostic.fix:
        result["fixes"] = [_fix(diagnostic)]
    return result


def _fix(diagnostic: Diagnostic) -> dict[str, Any]:
    changes: dict[str, dict[str, Any]] = {}
    for edit in diagnostic.fix:
        place = _location(edit.at)["physicalLocation"]
        change = changes.setdefault(
            edit.at.source.path,
            {"artifactLocation": place["artifactLocation"], "replacements": []},
        )
        change["replacements"].append(
            {"deletedRegion": place["region"], "insertedContent": {"text": edit.text}}
        )
    description = {"text": diagnostic.help or diagnostic.message}
    return {"description": description, "artifactChanges": list(changes.values())}


def _sentence(diagnostic: Diagnostic) -> str:
    """The message with its way out."""
    return f"{diagnostic.message}: {diagnostic.help}" if diagnostic.help else diagnostic.message


def _location(at: Span) -> dict[str, Any]:
    (line, column), (end_line, end_column) = _utf16(at, at.start), _utf16(at, at.end)
    region = {
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    }
    artifact = {"uri": quote(_uri(at.source.path))}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _utf16(at: Span, offset: int) -> tuple[int, int]:
    line, column = at.source.position(offset)
    before = at.source.text[offset - column + 1 : offset]
    return line, 1 + len(before.encode("utf-16-le", "surrogatepass")) // 2


def _uri(path: str) -> str:
    return PurePath(path).as_posix()


def _escaped(text: str, more: str = "") -> str:
    """The signs that end a command or a property, as GitHub's runner reads them back."""
    return "".join(f"%{ord(c):02X}" if c in "%\r\n" + more else c for c in text)
