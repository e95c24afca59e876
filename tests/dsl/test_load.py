"""Loading: which files belong to a program, and what is said of those that cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.load import Loaded, check_texts, load

_PART = "module parts\n\nrecord Part { id: string }\n"
_MACHINE = "module machines\n\nfrom parts import Part\n\nrecord Machine { part: Part }\n"


def codes(found: Loaded) -> list[str]:
    return [d.code for d in found.diagnostics]


def names(found: Loaded) -> set[str]:
    assert found.program is not None, found.diagnostics
    return set(found.program.modules)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("parts.flow").write_text(_PART, "utf-8")
    Path("machines.flow").write_text(_MACHINE, "utf-8")
    return tmp_path


def test_an_import_is_found_beside(folder: Path) -> None:
    found = load([Path("machines.flow")])
    assert names(found) == {"machines", "parts"}
    assert found.asked == ("machines",)
    assert set(found.sources) == {"machines.flow", "parts.flow"}


def test_what_nobody_imports_stays_out(folder: Path) -> None:
    Path("broken.flow").write_text("nonsense {", "utf-8")
    Path("latin.flow").write_bytes(b"\xe9")
    assert names(load([Path("parts.flow")])) == {"parts"}
    assert names(load([Path("machines.flow")])) == {"machines", "parts"}


def test_a_folder_is_all_of_its_flows(folder: Path) -> None:
    Path("deep/er").mkdir(parents=True)
    Path("deep/er/more.flow").write_text("module more\n", "utf-8")
    found = load([Path()])
    assert names(found) == {"machines", "parts", "more"}
    assert set(found.asked) == {"machines", "parts", "more"}


def test_what_tools_keep_in_a_project_is_passed_over(folder: Path) -> None:
    """Packages have files of that ending; named alone, a folder is read."""
    for place in ("node_modules/p", ".venv/lib", "deep/node_modules"):
        Path(place).mkdir(parents=True)
        Path(place, "index.js.flow").write_text("// @flow", "utf-8")
    Path(".venv/lib/mine.flow").write_text("module mine\n", "utf-8")
    assert set(load([Path()]).sources) == {"machines.flow", "parts.flow"}
    assert "mine" in names(load([Path(".venv/lib/mine.flow")]))


@pytest.mark.parametrize(
    "paths",
    [
        ["parts.flow", "parts.flow"],
        ["parts.flow", "./parts.flow", "."],
        [".", "sub/../parts.flow", "sub/.."],
        ["linked.flow", "parts.flow"],
    ],
)
def test_a_file_counts_once_however_it_is_named(folder: Path, paths: list[str]) -> None:
    Path("sub").mkdir()
    Path("linked.flow").symlink_to("parts.flow")
    assert codes(load([Path(p) for p in paths])) == []
    assert codes(load([folder, *map(Path, paths)])) == []


def test_a_missing_path_is_named(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no nowhere\.flow"):
        load([Path("parts.flow"), Path("nowhere.flow")])


def test_a_folder_without_flows_is_named(folder: Path) -> None:
    Path("empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no \.flow file in empty"):
        load([Path("empty")])


def test_a_file_of_another_suffix_is_read_when_asked_for(folder: Path) -> None:
    Path("other").mkdir()
    Path("other/flow.txt").write_text("module text\n", "utf-8")
    assert names(load([Path("other/flow.txt")])) == {"text"}


def test_nothing_asked_is_nothing_found() -> None:
    assert load([]) == load([])
    assert names(load([])) == set()


def test_a_file_that_is_not_utf_8(folder: Path) -> None:
    Path("latin.flow").write_bytes(b"module latin\n// caf\xe9\n")
    found = load([Path("latin.flow"), Path("parts.flow")])
    assert codes(found) == ["F005"]
    assert "byte 19" in found.diagnostics[0].help
    assert str(found.diagnostics[0].at) == "latin.flow:1:1"


def test_a_folder_named_like_a_flow(folder: Path) -> None:
    Path("odd.flow").mkdir()
    found = load([Path()])
    assert codes(found) == ["F005"]
    assert "directory" in found.diagnostics[0].help


def test_a_file_that_cannot_be_opened(folder: Path) -> None:
    Path("loop.flow").symlink_to("loop.flow")
    assert codes(load([Path()])) == ["F005"]


def test_two_files_of_one_module(folder: Path) -> None:
    Path("zwei.flow").write_text(_PART, "utf-8")
    found = load([Path()])
    assert codes(found) == ["F102"]
    assert str(found.diagnostics[0].at) == "zwei.flow:1:8"
    # Asked for alone, the file itself wins over its neighbour.
    assert names(load([Path("zwei.flow")])) == {"parts"}


def test_modules_may_import_each_other(folder: Path) -> None:
    Path("a.flow").write_text("module a\nfrom b import B\nrecord A { b: B? }\n", "utf-8")
    Path("b.flow").write_text("module b\nfrom a import A\nrecord B { a: A }\n", "utf-8")
    found = load([Path("a.flow")])
    assert names(found) == {"a", "b"}


def test_a_circle_of_aliases_over_files_is_found() -> None:
    found = check_texts(
        {
            "a": "module a\nfrom b import Y\ntype X = Y\n",
            "b": "module b\nfrom a import X\ntype Y = X\n",
        }
    )
    assert codes(found) == ["F107"]


def test_a_neighbour_with_a_syntax_error_is_reported_when_it_is_needed(folder: Path) -> None:
    Path("parts.flow").write_text(_PART + "recrod Other { }\n", "utf-8")
    found = load([Path("machines.flow")])
    assert [str(d.at) for d in found.diagnostics] == ["parts.flow:4:1"]
    assert codes(found) == ["F001"]


def test_findings_come_by_file_and_position() -> None:
    bad = "record R { a: A  b: B }\nsaga S(x: X) { let y = z }\nenum E { F F }\n"
    found = check_texts({"b": "module b\n" + bad, "a": "module a\n" + bad})
    places = [(d.at.source.path, d.at.start) for d in found.diagnostics]
    assert places == sorted(places, key=lambda p: ("ba".index(p[0]), p[1]))
    assert len(places) == 14


def test_a_program_with_a_warning_is_whole() -> None:
    found = check_texts({"a": 'module a\nsaga S(k: string) key k { let x = "" }\n'})
    assert codes(found) == ["F106"]
    assert found.program is not None
