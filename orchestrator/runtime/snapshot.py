"""What a saga has done, as JSON and back: its stack of undos, for another run or another saga.

A stack is a list of entries, in the order in which they were done. An entry is

- `{"step": path, "turn": "[2][0]", "known": true, "names": {…}}`: a step; `names` are the values of
  those names that its undo reads. `turn` and a `known` that is true are left out where there is
  nothing to say; with `"known": false` the command's `arguments` stand beside, for it may be sent
  once more, and
  with `"child": [entry, …]`, too: what a called saga has to undo, or the same compressed;
- `{"stack": [entry, …]}`: what a scope did, undone as one;
- `{"branches": [[entry, …], …]}`: what branches did, undone side by side.

Values are those of `tagged`. These shapes stand in histories: members are added, never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsl.cel.evaluate import CLOCK
from dsl.values import Struct
from orchestrator.compile.compile import instructions
from orchestrator.compile.names import names_read
from orchestrator.compile.plan import SagaPlan, StepPlan
from orchestrator.runtime.effects import Command
from orchestrator.runtime.env import Env
from orchestrator.runtime.tagged import from_tagged, to_tagged
from orchestrator.runtime.undo import Undo, Undos

#: The parts of a step that are over when it is on a stack of undos.
_OVER = frozenset(("call", "handlers"))


def freeze_undos(undos: Undos) -> list[Any]:
    """A stack as what `json` writes; the stack is left as it is."""
    return _Freezing().stack(undos)


def thaw_undos(frozen: list[Any], saga: SagaPlan, clock: Any) -> Undos:
    """The stack that `freeze_undos` wrote in a run of this saga; `clock` is what `now()` reads, a
    callable or an instant. Raises KeyError for a step that the saga does not have."""
    steps = {p.path: p for p in instructions(saga) if isinstance(p, StepPlan)}
    return _thaw_stack(frozen, steps, clock)


def freeze_names(names: Mapping[str, Any]) -> dict[str, Any]:
    """The names of a block with their values; the clock, which each run has anew, is left out."""
    return {n: to_tagged(v) for n, v in names.items() if n != CLOCK}


def thaw_names(frozen: Mapping[str, Any]) -> dict[str, Any]:
    """The names that `freeze_names` wrote."""
    return {n: from_tagged(v) for n, v in frozen.items()}


class _Freezing:
    """One pass over a stack; what a step's undo reads is found once."""

    def __init__(self) -> None:
        self._read: dict[str, frozenset[str]] = {}

    def stack(self, undos: Undos) -> list[Any]:
        return [self._entry(e) for e in undos.entries]

    def _entry(self, entry: Undo | Undos | list[Undos]) -> dict[str, Any]:
        if isinstance(entry, Undos):
            return {"stack": self.stack(entry)}
        if isinstance(entry, list):
            return {"branches": [self.stack(u) for u in entry]}
        step, env = entry.step, entry.env
        frozen: dict[str, Any] = {"step": step.path}
        if env.turn:
            frozen["turn"] = env.turn
        if not entry.known:
            frozen["known"] = False
        if entry.child:
            frozen["child"] = entry.child
        if entry.child or not entry.known:
            frozen["arguments"] = to_tagged(entry.command.arguments)
        if names := {n: to_tagged(env[n]) for n in env if n in self._names(step)}:
            frozen["names"] = names
        return frozen

    def _names(self, step: StepPlan) -> frozenset[str]:
        found = self._read.get(step.path)
        if found is None:
            parts = [value for name, value in step if name not in _OVER]
            found = self._read[step.path] = names_read(parts)
        return found


def _thaw_stack(frozen: list[Any], steps: Mapping[str, StepPlan], clock: Any) -> Undos:
    return Undos([_thaw_entry(e, steps, clock) for e in frozen])


def _thaw_entry(
    frozen: dict[str, Any], steps: Mapping[str, StepPlan], clock: Any
) -> Undo | Undos | list[Undos]:
    if "stack" in frozen:
        return _thaw_stack(frozen["stack"], steps, clock)
    if "branches" in frozen:
        return [_thaw_stack(u, steps, clock) for u in frozen["branches"]]
    step = steps[frozen["step"]]
    env = Env(turn=frozen.get("turn", ""))
    env.update({CLOCK: clock, **thaw_names(frozen.get("names", {}))})
    call = step.call
    given = frozen.get("arguments")
    arguments = from_tagged(given) if given is not None else Struct(call.command, {})
    message = f"{step.path}{env.turn}"
    command = Command(message, call.command, arguments, call.policy, call.callee)
    known, child = frozen.get("known", True), frozen.get("child")
    return Undo(step, command, env, known, child)
