"""Every code has a page whose examples do what it says, and an entry in the index."""

from __future__ import annotations

import re

import pytest

from dsl.codes import CODES
from dsl.load import check_texts
from tests.dsl.golden import PAGES, cases, code_of

_FENCE = re.compile(r"```flow ?(\S*)\n(.*?)```", re.DOTALL)
_HEADINGS = ["Wrong", "Right", "Why"]


def _page(code: str) -> str:
    return (PAGES / f"{code}.md").read_text("utf-8")


def _sections(page: str) -> dict[str, str]:
    """The text under each second-level heading."""
    parts = re.split(r"^## (.+)\n", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _flows(section: str) -> dict[str, str]:
    return {name or "main.flow": text for name, text in _FENCE.findall(section)}


def _codes(section: str) -> list[str]:
    return [d.code for d in check_texts(_flows(section)).diagnostics]


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_its_title_and_parts(code: str) -> None:
    page = _page(code)
    assert page.startswith(f"# {code}: {CODES[code]}\n\n")
    assert list(_sections(page)) == _HEADINGS
    assert all(text.strip() for text in _sections(page).values())


@pytest.mark.parametrize("code", [c for c in CODES if c != "F005"])
def test_the_wrong_example_has_the_code(code: str) -> None:
    assert _codes(_sections(_page(code))["Wrong"]) == [code]


@pytest.mark.parametrize("code", [c for c in CODES if c != "F005"])
def test_the_wrong_example_is_in_the_corpus(code: str) -> None:
    shown = _flows(_sections(_page(code))["Wrong"])
    corpus = [
        {p.name: p.read_text("utf-8") for p in case.glob("*.flow")}
        for case in cases()
        if code_of(case) == code
    ]
    assert shown in corpus


def test_the_unreadable_file_is_shown_as_it_is_reported() -> None:
    (case,) = [c for c in cases() if code_of(c) == "F005"]
    assert (case / "expected.stderr").read_text("utf-8") in _page("F005")


@pytest.mark.parametrize("code", CODES)
def test_the_right_example_has_no_finding(code: str) -> None:
    section = _sections(_page(code))["Right"]
    assert _flows(section)
    assert _codes(section) == []


def test_no_page_is_of_an_unknown_code() -> None:
    pages = {p.stem for p in PAGES.glob("*.md")} - {"README"}
    assert pages == set(CODES)


def test_the_index_lists_every_page_once() -> None:
    rows = re.findall(r"^\| \[(F\d+)\]\((F\d+)\.md\) \| (.+) \|$", _page("README"), re.MULTILINE)
    assert rows == [(code, code, title) for code, title in CODES.items()]
