"""Kafka's jars: pinned, fetched once, mended."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.dev import jars
from orchestrator.dev.errors import MissingError
from orchestrator.dev.jars import ensure_jars, pinned_jars


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own with all the jars, which share their bytes with the user's."""
    ours = ensure_jars()
    monkeypatch.setenv("ORCHESTRATE_CACHE", str(tmp_path))
    for theirs, mine in zip(ours.jars, pinned_jars().jars, strict=True):
        mine.path.parent.mkdir(parents=True, exist_ok=True)
        os.link(theirs.path, mine.path) if _same_disk(theirs.path, tmp_path) else (
            mine.path.write_bytes(theirs.path.read_bytes())
        )
    return tmp_path


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def spoil(jar: jars.Jar) -> None:
    """Same length, other bytes; the user's own file stays as it is."""
    content = bytearray(jar.path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    jar.path.unlink()
    jar.path.write_bytes(content)


def test_a_complete_set_is_not_fetched_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all jars are sound, nothing is fetched and nothing is said."""
    said: list[str] = []
    monkeypatch.setattr(jars, "_fetch", None)
    assert len(ensure_jars(said.append).jars) == 45
    assert said == []


def test_damaged_and_absent_jars_are_fetched_again(cache: Path) -> None:
    """A jar with a changed byte and a lost one are fetched, they alone, and are right again."""
    small = {"jspecify-1.0.0.jar", "kafka-tools-api-4.4.0.jar"}
    damaged, lost = (each for each in pinned_jars().jars if each.path.name in small)
    spoil(damaged)
    lost.path.unlink()
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: ensure_jars(said.append), range(2)))
    assert all(not each.damaged for each in both)
    assert [line for line in said if line.startswith("fetching")] == [
        "fetching 2 of 45 jars of Kafka 4.4.0"
    ]
    assert not list((cache / "kafka").glob("fetch-*"))


def test_a_file_that_is_not_the_pinned_one_is_refused(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes with another checksum than the list's is an error, and is not kept."""
    listed = pinned_jars()
    wrong = next(each for each in listed.jars if each.path.name == "jspecify-1.0.0.jar")
    wrong.path.unlink()
    others = [replace(each, sha256="0" * 64) if each == wrong else each for each in listed.jars]
    monkeypatch.setattr(jars, "pinned_jars", lambda: replace(listed, jars=others))
    with pytest.raises(MissingError, match=r"org.jspecify:jspecify:1.0.0 is not the file"):
        ensure_jars()
    assert not wrong.path.exists()


def test_no_registry_says_what_to_do(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be fetched, the error names the jar and the way out."""
    pinned_jars().jars[0].path.unlink()
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(MissingError, match=r"cannot fetch .*run `make setup`"):
        ensure_jars()
