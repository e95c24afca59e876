"""docs/settings.md names every setting, and its file is one that is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.settings import Settings, load_settings

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text("utf-8")


def test_every_setting_is_described() -> None:
    """In the order in which they stand in the code, and no other."""
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.M) == list(Settings.model_fields)


def test_the_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's example holds for both of its environments."""
    for name in (*Settings.model_fields, "env"):
        monkeypatch.delenv(f"ORCHESTRATE_{name.upper()}", raising=False)
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    (tmp_path / "orchestrate.toml").write_text(text)
    assert load_settings(folder=tmp_path).events_per_run == 5000
    assert load_settings("production", tmp_path).namespace == "sagas"
