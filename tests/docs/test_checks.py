"""The page on checks names codes that exist, and shows a budget as it is printed."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from dsl.codes import CODES
from dsl.diagnostic import Severity
from dsl.load import check_texts
from orchestrator.cli import budgets
from tests.dsl.golden import cases, loaded

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "language" / "checks.md").read_text("utf-8")


def test_the_codes_of_the_table_are_codes() -> None:
    """Each links to its own page, and stands in one row."""
    linked = re.findall(r"\[(F\d+)\]\(\.\./errors/(F\d+)\.md\)", PAGE.partition("## Budgets")[0])
    assert all(code == page for code, page in linked)
    codes = [code for code, _ in linked]
    assert set(codes) <= set(CODES)
    assert len(codes) == len(set(codes))


def test_the_warnings_are_those_of_the_corpus() -> None:
    """Both pages name the codes that may be warnings."""
    found = [d for case in cases() for d in loaded(case).diagnostics]
    mild = {d.code for d in found if d.severity is Severity.WARNING}
    both = mild & {d.code for d in found if d.severity is Severity.ERROR}
    *wholly, last = *sorted(mild - both), *sorted(both)
    said = f"{', '.join(wholly)} and some of {last} are"
    for page in (PAGE, (DOCS / "errors" / "README.md").read_text("utf-8")):
        assert said in " ".join(page.split())


def test_the_budget_is_what_is_printed() -> None:
    """The table, and below it the places without a limit."""
    [flow] = re.findall(r"```flow\n(.*?)```", PAGE, re.DOTALL)
    [shown] = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    known = budgets.asked(check_texts({"plans.flow": flow}))
    out = Console(file=io.StringIO(), width=100)
    out.print(budgets.table(known))
    assert isinstance(out.file, io.StringIO)
    lines = [line.rstrip() for line in out.file.getvalue().splitlines()]
    table = "\n".join(lines).strip("\n").splitlines()
    printed = [*table, "", *budgets.unbounded(known)]
    assert shown.splitlines() == printed
