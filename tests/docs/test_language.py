"""The language's reference: its examples check, its grammar is the grammar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsl.format import format
from dsl.load import check_texts
from dsl.source import Source

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "language").glob("*.md"))
GRAMMAR = " ".join((ROOT / "dsl" / "grammar.lark").read_text("utf-8").split())


def fences(page: Path, kind: str) -> list[str]:
    """The code blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


def examples() -> list[tuple[str, str]]:
    """Each example of each page, after its contracts: its first block. All of the cheat sheet
    is one."""
    found = []
    for page in PAGES:
        first, *rest = fences(page, "flow") or [""]
        if page.stem == "cheat-sheet":
            first, rest = first + "".join(rest), []
        found += [(page.stem, first)] * bool(first) + [(page.stem, first + f) for f in rest]
    return found


@pytest.mark.parametrize(("page", "text"), examples())
def test_examples_check_without_a_finding(page: str, text: str) -> None:
    assert [d.message for d in check_texts({f"{page}.flow": text}).diagnostics] == []


@pytest.mark.parametrize(
    "page", [*PAGES, *(ROOT / "docs").glob("*.md"), ROOT / "README.md"], ids=lambda p: p.stem
)
def test_flows_in_the_documentation_are_in_form(page: Path) -> None:
    """Each is as `orchestrate fmt` writes it, save where comments stand in a column; what is no
    whole flow is not looked at."""
    for text in [*fences(page, "flow"), *fences(page, "")]:
        formatted, mistakes = format(Source(str(page), text))
        column = re.search(r"\S {3,}// .*\n.*\S {3,}// ", text)
        assert mistakes or column or not formatted or formatted == text


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_rules_are_those_of_the_grammar(page: Path) -> None:
    for line in "".join(fences(page, "grammar")).splitlines():
        assert f" {line} " in GRAMMAR


def test_every_rule_and_every_word_is_on_a_page() -> None:
    """But those of expressions and names, which the page on expressions has as tables, and those
    that only list others. A new construct has no page until somebody writes it."""
    text, _, _ = (ROOT / "dsl" / "grammar.lark").read_text("utf-8").partition("// --- expressions")
    shown = "".join(rule for page in PAGES for rule in fences(page, "grammar"))
    rules = {line.partition(":")[0] for line in shown.splitlines()}
    lexical = {"subject_name", "expected_name"}
    assert set(re.findall(r"^([a-z]\w+):", text, re.M)) - rules - lexical == set()
    words = set(re.findall(r'[A-Z]+: "([a-z]+)"', GRAMMAR))
    inside = {w for w in words if f'"{w}"' in text}
    assert "saga" in inside
    assert {w for w in inside if f'"{w}"' not in shown} == set()


def test_every_statement_has_its_rule_and_an_example() -> None:
    listed = re.search(r" _statement: (.*?) bare_return:", GRAMMAR)
    assert listed
    page = ROOT / "docs" / "language" / "statements.md"
    rules = {line.partition(":")[0] for line in "".join(fences(page, "grammar")).splitlines()}
    assert {s.strip() for s in listed[1].split("|")} <= rules
    sections = page.read_text("utf-8").split("\n## `")[1:]
    assert all("```grammar" in s and "```flow" in s for s in sections)


def test_every_declaration_has_its_rule_and_an_example() -> None:
    listed = re.search(r" \?declaration: (.*?) // ---", GRAMMAR)
    assert listed
    text = "".join(rule for page in PAGES for rule in fences(page, "grammar"))
    rules = {line.partition(":")[0] for line in text.splitlines()}
    assert {d.strip() for d in listed[1].split("|")} <= rules
    page = ROOT / "docs" / "language" / "declarations.md"
    sections = page.read_text("utf-8").split("\n## `")[1:]
    assert all("```grammar" in s and "```flow" in s for s in sections)


def test_every_input_has_its_rule_and_an_example() -> None:
    sections = (ROOT / "docs" / "language" / "inputs.md").read_text("utf-8").split("\n## `")[1:]
    assert len(sections) == 3
    assert all("```grammar" in s and "```flow" in s for s in sections)


def test_every_given_has_its_rule_and_an_example() -> None:
    page = (ROOT / "docs" / "language" / "scenarios.md").read_text("utf-8")
    sections = [s for s in page.split("\n## ")[1:] if s.startswith(("`given", "`expect"))]
    assert len(sections) == 7
    assert all("```grammar" in s and "```flow" in s for s in sections)


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "language" / "README.md").read_text("utf-8")
    assert set(re.findall(r"^\| \[.+?\]\((.+?)\)", index, re.M)) == {
        p.name for p in PAGES if p.stem != "README"
    }
