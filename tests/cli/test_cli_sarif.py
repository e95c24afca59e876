"""`orchestrate check --format sarif` against the schema that OASIS publishes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.cli.program import Cli
from tests.dsl.sarif_schema import wrong_in

CONTRACTS = """\
module vertraege

type Geld = decmal

service lager {
  command Nimm key id { id: string  wort: string = "😀 日本" } replies Genommen
  event Genommen key id { id: string }
  event Genommen key id { id: string }
}
"""
SAGA = """\
module laden

from vertraege import lager

saga Kaufe(id: string) key id {
  step a = lager.Nimm(id: id, wort: "ÄÖÜ")
  let zahl = 1 + "😀"
  let y = undefiniert
}
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the program prints of files with errors, warnings, fixes, helps and second places."""
    folder = tmp_path_factory.mktemp("sarif")
    for name, text in {"a b/verträge 100%.flow": CONTRACTS, "日本/#1.flow": SAGA}.items():
        path = folder / name
        path.parent.mkdir()
        path.write_text(text, "utf-8")
    done = Cli(folder).run("check", ".", "--format", "sarif")
    assert done.code == 1, done
    return done.json


def test_the_program_prints_what_the_schema_allows(log: Any) -> None:
    """Files of any name, errors and warnings, fixes and second places: valid SARIF 2.1.0."""
    assert wrong_in(log) == []
    [run] = log["runs"]
    places = [x["physicalLocation"] for r in run["results"] for x in r["locations"]]
    found = {unquote(place["artifactLocation"]["uri"]) for place in places}
    assert found == {"a b/verträge 100%.flow", "日本/#1.flow"}
    assert {r["level"] for r in run["results"]} == {"error", "warning"}
    for name in ("fixes", "relatedLocations"):
        assert any(name in result for result in run["results"]), name


def test_so_are_files_that_do_not_parse(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """A misspelt word, a string without an end, bytes that are no text: valid as well."""
    write("misspelt.flow", "module misspelt\nrecrd R { a: string }\n")
    write("broken.flow", 'module broken\nrecord R { a: "🙂\n')
    (cli.cwd / "bytes.flow").write_bytes(b"module m\xff\n")
    done = cli.call("check", cli.cwd, "--format", "sarif")
    assert wrong_in(done.json) == []
    assert len(done.json["runs"][0]["results"]) == 3


def _without_name(run: Any) -> None:
    del run["tool"]["driver"]["name"]


def _from_column_zero(run: Any) -> None:
    run["results"][0]["locations"][0]["physicalLocation"]["region"]["startColumn"] = 0


def _unknown_level(run: Any) -> None:
    run["results"][0]["level"] = "fatal"


def _more(run: Any) -> None:
    run["results"][0]["help"] = "more"


def _no_uri(run: Any) -> None:
    place = run["results"][0]["locations"][0]["physicalLocation"]
    place["artifactLocation"]["uri"] = "a b.flow"


@pytest.mark.parametrize(
    "spoil", [_without_name, _from_column_zero, _unknown_level, _more, _no_uri]
)
def test_the_schema_would_say_what_is_wrong(log: Any, spoil: Callable[[Any], None]) -> None:
    """One thing spoilt is one thing said: the schema is really asked."""
    spoilt = copy.deepcopy(log)
    spoil(spoilt["runs"][0])
    assert len(wrong_in(spoilt)) == 1
