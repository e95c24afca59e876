"""`python -m orchestrator.dev.install`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.dev import install
from orchestrator.dev.errors import MissingError
from orchestrator.dev.needs import Need


def missing(_: object) -> str:
    raise MissingError("it was not found: install it")


def test_each_need_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is there and what is not is said in a line each; only `--require` makes it a failure."""
    monkeypatch.setattr(
        install, "TO_RUN", (Need("Here", lambda _: "at home"), Need("Gone", missing))
    )
    assert install.main([]) == 0
    assert install.main(["--require"]) == 1
    line = "Here: at home\nGone: missing: it was not found: install it\n"
    assert capsys.readouterr().out == line * 2


def test_an_optional_thing_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing thing that all works without does not make `--require` fail."""
    monkeypatch.setattr(install, "TO_RUN", (Need("Nice", missing, optional=True),))
    assert install.main(["--require"]) == 0


def test_root_installs_the_package_others_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As root with apt-get the package is installed and looked for again; others are told how."""
    there = tmp_path / "there"
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\nif [ "$1" = install ]; then echo "$@" > {there}; fi\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def see(_: object) -> str:
        return there.read_text().strip() if there.exists() else missing(_)

    monkeypatch.setattr(install, "TO_RUN", (Need("Thing", see, package="thing"),))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert install.main(["--require"]) == 1
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert install.main(["--require"]) == 0
    said = capsys.readouterr().out
    assert "Thing: install -y --no-install-recommends thing" in said
