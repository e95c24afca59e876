"""What the documents refer to is there: files, headings, commands and their options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from orchestrator.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
PAGES += [*(ROOT / "flows").rglob("*.md")]
PAGES = [p for p in PAGES if "node_modules" not in p.parts]


def _prose(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.M | re.S)


def _anchors(page: Path) -> set[str]:
    """Its headings as a forge makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """To a file of the repository, and to a heading in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        place = page.parent / file if file else page
        assert place.exists(), target
        assert not anchor or anchor in _anchors(place), target


def test_the_index_of_the_documents() -> None:
    """Every page and folder of `docs` is listed."""
    text = (ROOT / "docs" / "README.md").read_text("utf-8")
    there = {p.name for p in (ROOT / "docs").iterdir()} - {"README.md", "images"}
    listed = {t.partition("/")[0] for t in re.findall(r"\]\(([^.)][^)]*)\)", text)}
    assert listed == there


def _commands(page: Path) -> list[str]:
    lines = "".join(re.findall(r"^```(?:sh)?\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S))
    return re.findall(r"^(?:\$ )?orchestrate (.+?)(?:  +#.*)?$", lines, re.M)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    """Every command that a page shows is one of the program's, and has the options shown."""
    known = get_command(app).commands  # type: ignore[attr-defined]
    for shown in _commands(page):
        name, *words = shlex.split(shown)
        assert name in known, shown
        command = known[name]
        while inside := getattr(command, "commands", None):  # `orchestrate sequences list`
            assert words and words[0] in inside, shown
            command = inside[words.pop(0)]
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        used = {w.partition("=")[0] for w in words if w.startswith("--")}
        assert used <= options | {"--help"}, shown
