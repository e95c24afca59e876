"""The corpus of right flows: each checks without a finding, also when it is read with others."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.load import load
from tests.dsl.golden import FLOWS, ROOT, printed

FILES = sorted(FLOWS.glob("*.flow"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_has_no_finding(path: Path) -> None:
    found = load([path])
    assert printed(found) == "\n"
    assert found.program is not None


def test_all_of_them_together() -> None:
    found = load([FLOWS])
    assert printed(found) == "\n"
    assert found.program
    assert len(found.program.modules) == len(FILES) - 2  # two have nothing in them


def test_the_flows_that_ship() -> None:
    found = load([ROOT / "flows" / "orders"])
    assert printed(found) == "\n"


def test_line_ends_do_not_matter() -> None:
    text = (FLOWS / "crlf.flow").read_bytes()
    assert b"\r\n" in text
    program = load([FLOWS / "crlf.flow"]).program
    assert program
    note = program.record("corpus.crlf.Note")
    assert note.doc == "Line one.\nLine two."
    assert note.fields[0].default is not None
