"""Sagas to draw, and Graphviz's own reading of a drawing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dsl.load import load
from dsl.model import Program, SagaModel
from orchestrator.diagrams.engine import layout

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Picture:
    """A drawing as Graphviz read it; edges point the way their arrows do."""

    nodes: dict[str, dict[str, Any]]
    edges: list[tuple[str, str, str, str]]  # tail, head, kind, label
    graph: dict[str, Any]

    def ways(self, kind: str) -> set[tuple[str, str]]:
        """The edges of a kind."""
        return {(tail, head) for tail, head, k, _ in self.edges if k == kind}

    def label(self, tail: str, head: str) -> str:
        """The label of the failure that leads from one node to another."""
        return next(t for a, b, k, t in self.edges if (a, b, k) == (tail, head, "failure"))


def _read(dot: str) -> Picture:
    graph = json.loads(layout(dot, "json"))
    objects = {o["_gvid"]: o for o in graph["objects"]}
    edges = []
    for edge in graph.get("edges", ()):
        ends = [objects[edge["tail"]]["name"], objects[edge["head"]]["name"]]
        if edge.get("dir") == "back":
            ends.reverse()
        edges.append((ends[0], ends[1], edge["class"], edge.get("label", "").strip()))
    nodes = {o["name"]: o for o in objects.values() if "nodes" not in o and "rank" not in o}
    return Picture(nodes, edges, graph)


@pytest.fixture
def read() -> Callable[[str], Picture]:
    return _read


def _load(path: Path) -> tuple[SagaModel, Program]:
    loaded = load([path])
    assert loaded.program is not None, loaded.diagnostics
    sagas = [s for m in loaded.asked for s in loaded.program.modules[m].sagas]
    return sagas[0], loaded.program


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> tuple[SagaModel, Program]:
    monkeypatch.chdir(ROOT)
    return _load(Path("flows/orders"))


@pytest.fixture
def trip() -> tuple[SagaModel, Program]:
    return _load(Path(__file__).parent / "trip.flow")


@pytest.fixture
def texts() -> Callable[[bytes], list[str]]:
    def found(svg: bytes) -> list[str]:
        all_texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode())
        return [text.strip() for text in all_texts]

    return found
