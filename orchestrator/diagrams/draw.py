"""Sagas to DOT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dsl.model import Program, SagaModel
from orchestrator.diagrams.error import DiagramError
from orchestrator.diagrams.graph import cluster, document
from orchestrator.diagrams.state import StepState
from orchestrator.diagrams.walk import draw


def dot(saga: SagaModel, program: Program, *, state: Mapping[str, StepState] | None = None) -> str:
    """The DOT of one saga. Ids of its nodes are the paths of its plan's steps; `undo:` stands
    before an undo's. With `state`, by path, it shows one instance: what is not in it was not
    reached."""
    drawing = draw(saga, program, state)
    return document(drawing.name, drawing.title(), drawing.body())


def dot_program(program: Program, modules: Iterable[str] | None = None) -> str:
    """The DOT of all sagas of some modules (of all, by default), side by side; ids of nodes begin
    with the saga's name and a slash. Raises DiagramError when there is none."""
    wanted = program.modules if modules is None else list(modules)
    unknown = [m for m in wanted if m not in program.modules]
    if unknown:
        raise DiagramError(f"there is no module `{unknown[0]}`")
    sagas = [s for m in wanted for s in program.modules[m].sagas]
    if not sagas:
        raise DiagramError(f"there is no saga in {', '.join(wanted) or 'an empty program'}")
    drawings = [draw(s, program, None, f"{s.name.rpartition('.')[2]}/") for s in sagas]
    return document("sagas", {}, (line for d in drawings for line in cluster(d)))
