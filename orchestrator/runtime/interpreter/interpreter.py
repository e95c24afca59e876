"""One run of a saga: from its beginning, or from where another run stopped, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dsl.cel.evaluate import CLOCK
from orchestrator.compile.plan import SagaPlan
from orchestrator.runtime.backward import never
from orchestrator.runtime.effects import Effects
from orchestrator.runtime.env import Env
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.interpreter.blocks import Blocks
from orchestrator.runtime.interpreter.run import Run
from orchestrator.runtime.snapshot import freeze_names, freeze_undos, thaw_names, thaw_undos
from orchestrator.runtime.standing import Paused, Stopped, Way, thaw_frame
from orchestrator.runtime.undo import Undos


class Interpreter:
    """One run of one saga. It stops between two turns of a loop, and between two undos, when `full`
    says that the run is; another one goes on from there, with the `state` of this one. A loop that
    cannot stop, because something runs beside it, fails when the run is `spent`."""

    def __init__(
        self,
        saga: SagaPlan,
        effects: Effects,
        expressions: Expressions,
        full: Callable[[], bool] = never,
        spent: Callable[[], bool] = never,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._saga = saga
        self._effects = effects
        self._run = Run(effects, expressions, full, spent)
        self._blocks = Blocks(self._run)
        #: The names of the saga's outermost block.
        self.names = Env(alone=True)
        self._way: Way = ()
        if state is not None:
            self._recall(state)

    @property
    def undos(self) -> Undos:
        """What is to be undone, last of all first."""
        return self._run.undos

    async def run(self, parameters: Mapping[str, Any]) -> Any:
        """The saga's result. Raises SagaFailed, compensating is the caller's next call then; Paused
        when it stopped."""
        return await self._body(parameters, ())

    async def resume(self) -> Any:
        """Goes on where the run before stopped; as `run` otherwise."""
        return await self._body({}, self._way)

    async def compensate(self) -> None:
        """Undoes what was done and is not undone yet, last first. Raises CompensationFailed, and
        Paused when it stopped."""
        if not await self._blocks.compensation.run(self.undos, self._run.full):
            await self._effects.settle()
            raise Paused(self._remembered())

    async def _body(self, names: Mapping[str, Any], way: Way) -> Any:
        env = self.names
        env.update({CLOCK: self._effects.now, **names})
        left = await self._blocks.block(self._saga.body, env, self.undos, way)
        if isinstance(left, Stopped):
            await self._effects.settle()
            frames = [f.freeze() for f in reversed(left.frames)]
            # Only now: updates may have changed variables meanwhile.
            raise Paused({**self._remembered(), "way": frames})
        return left.value if left else None

    def _remembered(self) -> dict[str, Any]:
        return {
            "undos": freeze_undos(self.undos),
            "forward": self._run.forward,
            "names": freeze_names(self.names.own()),
        }

    def _recall(self, state: Mapping[str, Any]) -> None:
        self._run.undos = thaw_undos(state["undos"], self._saga, self._effects.now)
        self._run.forward = state["forward"]
        self.names.update({CLOCK: self._effects.now, **thaw_names(state.get("names", {}))})
        self._way = tuple(map(thaw_frame, state.get("way", ())))
