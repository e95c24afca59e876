"""Findings for code review tools: SARIF as OASIS's schema wants it, and GitHub's annotations."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest

from dsl.codes import CODES
from dsl.diagnostic import Diagnostic, Severity
from dsl.load import Loaded
from dsl.render_ci import to_github, to_sarif
from dsl.source import Source, Span
from tests.dsl.golden import GOLDEN, cases, loaded
from tests.dsl.sarif_schema import wrong_in

ALL = [d for case in cases() for d in loaded(case).diagnostics]


def test_the_whole_corpus_is_good_sarif() -> None:
    """The schema allows it; every result has its rule, and no region ends before it begins."""
    log = to_sarif(ALL)
    assert wrong_in(log) == []
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
    assert wrong_in(log) == []
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
