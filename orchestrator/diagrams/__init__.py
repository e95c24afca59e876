"""Pictures of sagas."""

from orchestrator.diagrams.draw import dot, dot_program
from orchestrator.diagrams.error import DiagramError
from orchestrator.diagrams.render import Format, render
from orchestrator.diagrams.state import Status, StepState

__all__ = ["DiagramError", "Format", "Status", "StepState", "dot", "dot_program", "render"]
