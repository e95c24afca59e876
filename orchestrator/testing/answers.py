"""What commands are answered in a scenario: as is given, else the contract's first reply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dsl.cel.nodes import Node
from dsl.model import AnswerModel, Callee, Program
from orchestrator.runtime.effects import Command
from orchestrator.testing.examples import Examples
from orchestrator.testing.uses import Uses, delay_of, uses


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, a failure or an activity's result, and the time (seconds) from which it is there."""

    payload: Any
    at: float


@dataclass(slots=True)
class _Given:
    """A given with its values. With neither an `answer` nor a `value`, alone in a tuple, nothing
    comes."""

    uses: Uses
    answer: str | None
    value: tuple[Any] | None
    named: dict[str, Any]
    delay: float


class Answers:
    """The services of a scenario. As real ones do, they answer one message id one way: the answer
    is kept, and a command that is sent again gets it again. Raises CelError for a given that has no
    value."""

    def __init__(
        self,
        givens: Sequence[AnswerModel],
        program: Program,
        examples: Examples,
        evaluate: Callable[[Node], Any],
    ) -> None:
        self._givens = [_read(g, evaluate) for g in givens]
        self._program = program
        self._examples = examples
        self._kept: dict[str, Answer] = {}

    def to(self, command: Command, id: str, now: float) -> Answer | None:
        """What comes of one attempt; None when nothing ever does. The first given that fits and is
        not used up counts."""
        if id in self._kept:
            return self._kept[id]
        given = next((g for g in self._givens if g.uses.take(command)), None)
        if given and given.answer is None and given.value is None:
            return None
        delay = given.delay if given else 0.0
        if command.callee is Callee.ACTIVITY:
            # A function keeps no answers: every attempt calls it.
            return Answer(
                given.value[0] if given and given.value else self._result(command), now + delay
            )
        name = given.answer if given else None
        name = name or self._program.command(command.name).replies[0]
        named = given.named if given else {}
        payload = self._examples.message(name, named, command.arguments)
        self._kept[id] = answer = Answer(payload, now + delay)
        return answer

    def _result(self, command: Command) -> Any:
        activity = self._program.activity(command.name)
        short = activity.name.rpartition(".")[2]
        return self._examples.of(activity.result, short) if activity.result else None


def _read(given: AnswerModel, evaluate: Callable[[Node], Any]) -> _Given:
    """Its values, at the start of the scenario. Raises CelError."""
    answer = given.answer
    return _Given(
        uses=uses(given.subject, given.times, evaluate),
        answer=answer.name if answer else None,
        value=(evaluate(given.value),) if given.value else None,
        named={n: evaluate(e) for n, e in answer.fields.items()} if answer else {},
        delay=delay_of(given.delay, evaluate),
    )
