"""The grammar's table is kept between runs, and never believed when it is not what was written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from dsl import kept
from dsl.kept import table_of
from dsl.table import Table, compute, read, write

SMALL = 'start: "a" NAME*\nNAME: /[a-z]+/\n%ignore " "\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORCHESTRATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "grammar"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The starts for which lark was asked."""
    asked: list[str] = []

    def counted(grammar: str, start: str) -> Table:
        asked.append(start)
        return compute(grammar, start)

    monkeypatch.setattr(kept, "compute", counted)
    return asked


def test_a_table_is_computed_once(computed: list[str]) -> None:
    first = table_of(SMALL, "start")
    assert table_of(SMALL, "start") == first
    assert computed == ["start"]


def test_another_grammar_has_another_table(computed: list[str]) -> None:
    table_of(SMALL, "start")
    table_of(SMALL.replace('"a"', '"b"'), "start")
    assert computed == ["start", "start"]


@pytest.mark.parametrize("start", ["file", "expr"])
def test_the_language_is_the_same_when_it_is_kept(start: str) -> None:
    table = compute(files("dsl").joinpath("grammar.lark").read_text("utf-8"), start)
    assert read(write(table)) == table


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe", b"half", b"other digest"])
def test_a_damaged_table_is_made_anew(folder: Path, computed: list[str], damage: bytes) -> None:
    table_of(SMALL, "start")
    (file,) = folder.glob("*.json")
    whole = file.read_bytes()
    spoilt = {b"half": whole[: len(whole) // 2], b"other digest": whole.replace(b'"start"', b'"x"')}
    file.write_bytes(spoilt.get(damage, damage))
    again = table_of(SMALL, "start")  # lark numbers states as it comes
    assert table_of(SMALL, "start") == again
    assert computed == ["start", "start"]


def test_what_is_no_table_is_made_anew_though_its_digest_is_right(folder: Path) -> None:
    table_of(SMALL, "start")
    (file,) = folder.glob("*.json")
    file.write_text(f"{sha256(b'[1]').hexdigest()}\n[1]")
    assert table_of(SMALL, "start").terminals


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, computed: list[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ORCHESTRATE_CACHE", str(tmp_path / "file" / "below"))
    assert table_of(SMALL, "start").terminals
    assert table_of(SMALL, "start").terminals
    assert computed == ["start", "start"]


def test_many_writers_leave_one_whole_table(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda _: table_of(SMALL, "start"), range(32)))
    assert all(t.terminals == tables[0].terminals for t in tables)
    assert [f.suffix for f in folder.iterdir()] == [".json"]


def test_old_tables_go(folder: Path) -> None:
    for n in range(12):
        table_of(SMALL.replace("a-z", f"a-{chr(98 + n)}"), "start")
    assert len(list(folder.iterdir())) == 8
