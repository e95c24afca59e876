"""The corpora under `tests/golden/`: where they are, and what checking one of them prints."""

from __future__ import annotations

import os
from pathlib import Path

from dsl.load import Loaded, load
from dsl.render import to_text

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden"
ERRORS = GOLDEN / "errors"
FLOWS = GOLDEN / "flows"
PAGES = ROOT / "docs" / "errors"


def cases() -> list[Path]:
    """Every folder of the corpus of errors."""
    return sorted(p for p in ERRORS.iterdir() if p.is_dir())


def code_of(case: Path) -> str:
    """The code that a folder is an example of."""
    return case.name.partition("-")[0]


def loaded(folder: Path) -> Loaded:
    """A folder's flows, checked from inside it, so that paths are shown as the files' names."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return load([Path()])
    finally:
        os.chdir(before)


def printed(found: Loaded) -> str:
    """All findings as a terminal shows them, an empty line between two."""
    return "\n\n".join(to_text(d) for d in found.diagnostics) + "\n"
