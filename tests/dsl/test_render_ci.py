"""Findings for code review tools: SARIF as its schema wants it, and GitHub's annotations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from dsl.codes import CODES
from dsl.diagnostic import Diagnostic, Severity
from dsl.load import Loaded
from dsl.render_ci import to_github, to_sarif
from dsl.source import Source, Span
from tests.dsl.golden import GOLDEN, cases, loaded

#: What the schema of SARIF 2.1.0 says of each kind of object that is written here: the properties
#: that must be there, and those that may; it allows no others.
_OBJECTS: dict[str, tuple[set[str], set[str]]] = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"columnKind", "results"}),
    "tool": ({"driver"}, set()),
    "driver": ({"name"}, {"version", "rules"}),
    "rule": ({"id"}, {"shortDescription"}),
    "text": ({"text"}, set()),
    "result": (
        {"message"},
        {"ruleId", "ruleIndex", "level", "locations", "relatedLocations", "fixes"},
    ),
    "location": (set(), {"physicalLocation", "message"}),
    "physicalLocation": ({"artifactLocation"}, {"region"}),
    "artifactLocation": (set(), {"uri"}),
    "region": (set(), {"startLine", "startColumn", "endLine", "endColumn"}),
    "fix": ({"artifactChanges"}, {"description"}),
    "artifactChange": ({"artifactLocation", "replacements"}, set()),
    "replacement": ({"deletedRegion"}, {"insertedContent"}),
}
#: Which kind each property holds, where it holds objects.
_HOLDS = {
    "runs": "run",
    "tool": "tool",
    "driver": "driver",
    "rules": "rule",
    "results": "result",
    "shortDescription": "text",
    "message": "text",
    "description": "text",
    "locations": "location",
    "relatedLocations": "location",
    "physicalLocation": "physicalLocation",
    "artifactLocation": "artifactLocation",
    "region": "region",
    "deletedRegion": "region",
    "insertedContent": "text",
    "fixes": "fix",
    "artifactChanges": "artifactChange",
    "replacements": "replacement",
}
_LISTS = {"runs", "rules", "results", "locations", "relatedLocations", "fixes"} | {
    *("artifactChanges", "replacements"),
}
_NOT_EMPTY = {"artifactChanges", "replacements"}
_VALUES: dict[str, Callable[[Any], bool]] = {
    "version": lambda v: bool(v),
    "level": {"none", "note", "warning", "error"}.__contains__,
    "columnKind": {"utf16CodeUnits", "unicodeCodePoints"}.__contains__,
    "ruleIndex": lambda v: type(v) is int and v >= 0,
    **dict.fromkeys(
        ("startLine", "startColumn", "endLine", "endColumn"), lambda v: type(v) is int and v >= 1
    ),
}


def check(kind: str, value: Any) -> None:
    """Holds an object, and all in it, to the schema."""
    needed, allowed = _OBJECTS[kind]
    assert needed <= set(value) <= needed | allowed, (kind, value)
    for name, part in value.items():
        if name in _LISTS:
            assert type(part) is list and (part or name not in _NOT_EMPTY)
            for item in part:
                check(_HOLDS[name], item)
        elif name in _HOLDS:
            check(_HOLDS[name], part)
        elif name in _VALUES:
            assert _VALUES[name](part), (name, part)
        else:
            assert isinstance(part, str)


ALL = [d for case in cases() for d in loaded(case).diagnostics]


def test_the_whole_corpus_is_good_sarif() -> None:
    """Every object has what SARIF's schema wants and nothing else; every result its rule."""
    log = to_sarif(ALL)
    check("log", log)
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(ALL)
    assert {r["id"]: r["shortDescription"]["text"] for r in rules} == CODES
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        [place] = [x["physicalLocation"] for x in result["locations"]]
        region = place["region"]
        start = (region["startLine"], region["startColumn"])
        assert start <= (region["endLine"], region["endColumn"])


def test_without_findings_there_is_a_run_without_results() -> None:
    """A tool that compares runs takes what is gone for fixed."""
    log = to_sarif([])
    check("log", log)
    assert log["runs"][0]["results"] == []


@pytest.mark.parametrize("path", ["a b.flow", "ü/#1.flow", "a%20.flow", "/x/y.flow"])
def test_a_path_is_a_uri(path: str) -> None:
    """Whatever a file is called: it is found again."""
    found = Diagnostic("F001", "m", Span(Source(path, "x"), 0, 1))
    [result] = to_sarif([found])["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert unquote(urlsplit(uri).path) == path


_COMMAND = re.compile(
    r"::(error|warning) file=[^,:\n]+,line=\d+,endLine=\d+,title=F\d{3}(,col=\d+,endColumn=\d+)?"
    r"::[^\r\n]+"
)


def test_the_whole_corpus_is_good_for_github() -> None:
    """One command on one line for each finding, and warnings are warnings."""
    for d in ALL:
        match = _COMMAND.fullmatch(to_github(d))
        assert match, to_github(d)
        assert (match[1] == "warning") == (d.severity is Severity.WARNING)


def test_what_ends_a_command_is_escaped() -> None:
    """A file or a message cannot begin a command of its own."""
    at = Span(Source("a:b,c\n%.flow", "x"), 0, 1)
    line = to_github(Diagnostic("F001", "one\n::error::two 100%", at))
    assert line.startswith("::error file=a%3Ab%2Cc%0A%25.flow,line=1,")
    assert line.endswith("::one%0A::error::two 100%25")


def test_ten_findings_are_ten_results() -> None:
    """What a terminal shows is what the other forms hold."""
    found: Loaded = loaded(GOLDEN / "mistakes" / "ten")
    assert len(to_sarif(found.diagnostics)["runs"][0]["results"]) == 10
