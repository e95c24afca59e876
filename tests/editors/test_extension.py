"""The extension for VS Code: what it starts, what it brings."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

import pytest

from dsl.parse import parse
from dsl.source import Source
from tests.editors.engine import EXTENSION, HERE, NODE

SNIPPETS = json.loads((EXTENSION / "snippets" / "flow.json").read_text("utf-8"))
MANIFEST = json.loads((EXTENSION / "package.json").read_text("utf-8"))
#: Snippets that stand outside of a saga.
_TOP = ("record", "service", "saga", "scenario")


needs_node = pytest.mark.skipif(NODE is None and not os.environ.get("CI"), reason="needs Node.js")


def run(command: str) -> dict[str, Any]:
    """What the extension does with this setting."""
    assert NODE, "Node.js is missing"
    done = subprocess.run(
        [NODE, str(HERE / "extension.js"), str(EXTENSION), command],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@needs_node
def test_it_starts_and_stops_the_language_server() -> None:
    """The program of the settings is started with `lsp` for flows, and told to end."""
    done = run("${workspaceFolder}/bin/orchestrate")
    assert done["server"] == {"command": "FOLDER/bin/orchestrate", "args": ["lsp"]}
    assert done["selector"] == [{"language": "flow"}]
    assert done["watched"] == ["**/*.flow"]
    assert done["commands"] == [c["command"] for c in MANIFEST["contributes"]["commands"]]
    assert (done["started"], done["stopped"], done["errors"]) == (True, True, [])


@needs_node
def test_it_says_when_there_is_no_server() -> None:
    """A program that cannot be started is told to the user, with the setting that names it."""
    done = run("missing")
    assert "orchestrate.command" in done["errors"][0]
    assert "stopped" not in done


def test_the_manifest_names_files_that_are_there() -> None:
    """Every path in the manifest is a file, and each of JSON can be read."""
    contributes = MANIFEST["contributes"]
    paths = [MANIFEST["main"], *(v["configuration"] for v in contributes["languages"])]
    paths += [v["path"] for v in (*contributes["grammars"], *contributes["snippets"])]
    for path in paths:
        text = (EXTENSION / path).read_text("utf-8")
        assert json.loads(text) if path.endswith(".json") else text


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippets_are_flows(name: str) -> None:
    """What a snippet writes, its places filled as proposed, parses."""
    body = "\n".join(SNIPPETS[name]["body"])
    while (filled := re.sub(r"\$\{\d+:([^${}]*)\}|\$\d+", r"\1", body)) != body:
        body = filled
    if name not in _TOP:
        inner = "\n".join(f"  {line}" for line in body.split("\n"))
        body = f"saga S(items: list<int>) key k {{\n{inner}\n}}"
    assert parse(Source("snippet.flow", f"module snippets\n\n{body}\n"))[1] == ()
