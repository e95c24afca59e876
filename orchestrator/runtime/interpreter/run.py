"""What the parts of the interpreter share: a run's means and how far it is; how a block is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dsl.cel.nodes import Node
from dsl.model import Place
from orchestrator.compile.plan import Instruction
from orchestrator.runtime.effects import Effects
from orchestrator.runtime.env import Env
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.standing import Stopped, Way
from orchestrator.runtime.undo import Undos


@dataclass(frozen=True, slots=True)
class Returned:
    """A saga's result, on its way out of the blocks it stands in."""

    value: Any


@dataclass(frozen=True, slots=True)
class Yielded:
    """What a turn of a loop gives, on its way out of the blocks inside that."""

    value: Any


Leaving = Returned | Yielded | Stopped | None


@dataclass(slots=True)
class Run:
    """One run of one saga. `full` and `spent` say how much room is left, as Interpreter has it;
    `undos` is the stack of the whole saga; `forward` tells that the pivot has been passed, `waits`
    how often the saga has acted or waited."""

    effects: Effects
    expressions: Expressions
    full: Callable[[], bool]
    spent: Callable[[], bool]
    undos: Undos = field(default_factory=Undos)
    forward: bool = False
    waits: int = 0

    def value(self, node: Node, env: Mapping[str, Any], place: Place) -> Any:
        """The value of a saga's expression. Raises SagaFailed."""
        return self.expressions.value(node, env, place)

    def seconds(self, time: Node | None, env: Env, place: Place) -> float | None:
        """A duration's value; None where none is written. Raises SagaFailed."""
        if time is None:
            return None
        seconds: float = self.value(time, env, place).total_seconds()
        return seconds

    def pass_pivot(self) -> None:
        """From here on the saga only goes forward."""
        self.forward = True
        self.undos.clear()
        self.effects.pass_pivot()


class Inner(Protocol):
    """How an instruction runs the blocks inside it. `way` leads to where a block goes on that
    another run began; what is done is pushed on `undos`."""

    async def block(
        self, body: tuple[Instruction, ...], env: Env, undos: Undos, way: Way = ()
    ) -> Leaving:
        """A block's instructions, which the caller knows to find again by itself."""

    async def inside(
        self,
        number: int,
        body: tuple[Instruction, ...],
        env: Env,
        undos: Undos,
        way: Way = (),
    ) -> Leaving:
        """The block of this number, as `compile.bodies` counts them."""
