"""The measured rows, kept in `build/bench.json` from run to run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.aim import Aim
from tests.bench.errors import BenchError

RESULTS = Path(__file__).parents[2] / "build" / "bench.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `name` is `<benchmark>/<what>`; `ratio` is value / reference. Without anything
    to compare with, both are None."""

    name: str
    value: float
    reference: float | None
    ratio: float | None
    unit: str
    aim: Aim | None = None

    @property
    def met(self) -> bool | None:
        """Whether it is what an issue asks for; None when none does."""
        return None if self.aim is None else self.aim.holds(self.value, self.ratio)

    def to_json(self) -> dict[str, object]:
        """As it is kept and printed."""
        return {
            "name": self.name,
            "value": self.value,
            "reference": self.reference,
            "ratio": self.ratio,
            "unit": self.unit,
            "aim": None if self.aim is None else str(self.aim),
            "met": self.met,
        }


def row(name: str, value: float, reference: float | None, unit: str, aim: Aim | None = None) -> Row:
    """A row with its ratio; digits beyond what a measurement carries are dropped."""
    ratio = value / reference if reference else None
    return Row(name, _short(value), _short(reference), _short(ratio), unit, aim)


def save(benchmark: str, rows: list[Row], path: Path = RESULTS) -> None:
    """Replaces the benchmark's rows and keeps the others'. Raises BenchError."""
    kept = [r for r in _load(path) if not str(r.get("name", "")).startswith(f"{benchmark}/")]
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps([*kept, *(r.to_json() for r in rows)], indent=2) + "\n")
    # At once: a run that is interrupted leaves the old file or the new one.
    fresh.replace(path)


def _load(path: Path) -> list[dict[str, object]]:
    try:
        found = json.loads(path.read_text())
        return [dict(r) for r in found]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        raise BenchError(f"{path} holds no list of rows: correct or delete it") from None


def _short(value: Any) -> Any:
    return value if value is None else float(f"{value:.4g}")
