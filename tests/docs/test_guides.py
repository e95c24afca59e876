"""The guides: their flows check and are in form, their Python fits their flows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Numeric, String, Table, update
from typer.testing import CliRunner

from dsl.format import format
from dsl.load import check_texts
from dsl.source import Source
from orchestrator.cli.app import app
from orchestrator.service import Service

GUIDES = sorted((Path(__file__).parents[2] / "docs" / "guides").glob("*.md"))


def fences(page: Path, kind: str) -> list[str]:
    """The code blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize("page", GUIDES, ids=lambda p: p.stem)
def test_flows_check_and_are_in_form(page: Path) -> None:
    """All flows of a guide are one module."""
    flows = fences(page, "flow")
    for text in flows:
        formatted, mistakes = format(Source(str(page), text))
        assert not mistakes and formatted == text
    text = "module guide\n\n" + "\n".join(flows)
    assert [d.message for d in check_texts({f"{page.stem}.flow": text}).diagnostics] == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda p: p.stem)
def test_python_is_python(page: Path) -> None:
    """Every block can be compiled."""
    for text in fences(page, "python"):
        compile(text, str(page), "exec", flags=0x2000)  # `await` outside of a function


def test_the_handlers_of_doing_it_once_fit_their_contract() -> None:
    """Each service of the page takes the handlers that the page shows."""
    page = next(p for p in GUIDES if p.stem == "idempotency")
    flow = "module guide\n\n" + "\n".join(fences(page, "flow"))
    program = check_texts({"guide.flow": flow}).program
    assert program
    columns = [Column("account", String), Column("version", Integer), Column("limit", Numeric)]
    names: dict[str, Any] = {"update": update, "table": Table("accounts", MetaData(), *columns)}
    services = [Service(n, program=program) for n in ("cards", "accounts")]
    names |= {s.name: s for s in services}
    for text in fences(page, "python"):
        exec(text, names)
    assert [sorted(s.handlers) for s in services] == [
        ["guide.cards.Charge"],
        ["guide.accounts.SetLimit"],
    ]


def test_the_options_of_participants_are_there() -> None:
    """Those that the page names."""
    page = next(p for p in GUIDES if p.stem == "participants").read_text("utf-8")
    help = (
        CliRunner()
        .invoke(app, ["service", "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
        .output
    )
    for option in set(re.findall(r"`(--\w+)", page)):
        assert option in help, option
