"""Plays a scenario: the saga's own interpreter over a world in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dsl.cel.errors import CelError
from dsl.cel.evaluate import CLOCK
from dsl.cel.nodes import Node
from dsl.model import (
    AnswerModel,
    ArrivalModel,
    CancelModel,
    DecisionModel,
    PatternModel,
    Program,
    ScenarioModel,
)
from dsl.values import Struct
from orchestrator.compile.plan import Plan, SagaPlan
from orchestrator.messaging.codec import CodecError, JsonCodec
from orchestrator.runtime.backward import CompensationFailed
from orchestrator.runtime.effects import SagaFailed
from orchestrator.runtime.signature import InputError, key_of, wire_of
from orchestrator.testing.answers import Answers
from orchestrator.testing.clock import EndlessError, VirtualLoop
from orchestrator.testing.course import Course, End, Event
from orchestrator.testing.decisions import Decisions
from orchestrator.testing.examples import Examples
from orchestrator.testing.instance import Instance
from orchestrator.testing.numbered import Numbered
from orchestrator.testing.symbols import Symbols
from orchestrator.testing.uses import delay_of
from orchestrator.testing.world import World


def play(scenario: ScenarioModel, program: Program, plan: Plan) -> Course:
    """The course of the scenario's saga; `plan` is that of the saga's module. What the scenario
    itself gets wrong only when it runs, an input that breaks its constraint, is the end
    `NOT_STARTED`."""
    loop = VirtualLoop()
    playing = _Play(scenario, program, plan, loop)
    try:
        return playing.run()
    finally:
        playing.close()


class _Play:
    """One scenario being played."""

    def __init__(
        self, scenario: ScenarioModel, program: Program, plan: Plan, loop: VirtualLoop
    ) -> None:
        self._scenario = scenario
        self._saga: SagaPlan = plan.sagas[scenario.run.saga]
        self._loop = loop
        self._examples = Examples(program, self._value, loop.instant)
        self._codec = JsonCodec(program)
        self._program = program
        self._world = World(loop, plan, self._codec, Symbols(program))
        self._course = self._world.course
        self._numbered = Numbered(self._world, program)

    def _value(self, node: Node, env: Mapping[str, Any] | None = None) -> Any:
        clock = {CLOCK: self._loop.instant}
        return self._world.expressions.evaluate(node, {**clock, **(env or {})})

    def run(self) -> Course:
        try:
            instance, work = self._start()
        except (CelError, CodecError, InputError) as error:
            self._course.end, self._course.reason = End.NOT_STARTED, str(error)
            return self._course
        task = self._loop.run(work)
        self._course.at = self._loop.time()
        if task.done():
            self._ended(task)
        elif instance.parked:
            self._course.end = End.PARKED
            self._course.reason = next(iter(instance.parked.values()))
        else:
            self._course.reason = " and ".join(dict.fromkeys(instance.waits)) or "nothing"
        return self._course

    def close(self) -> None:
        """Ends what still runs; nothing of that is part of the course."""
        self._world.over = True
        self._loop.close()

    def _start(self) -> tuple[Instance, Any]:
        """The saga, ready to run, with the timers of what is given."""
        answers = [g for g in self._scenario.givens if isinstance(g, AnswerModel)]
        self._world.answers = Answers(answers, self._program, self._examples, self._value)
        decisions = [g for g in self._scenario.givens if isinstance(g, DecisionModel)]
        self._world.decisions = Decisions(decisions, self._value)
        parameters = self._parameters()
        wire = wire_of(self._saga, parameters, self._codec)
        key = key_of(self._saga, parameters, self._world.expressions)
        instance = Instance(self._world, self._saga, key)
        key_value = self._value(self._saga.key, parameters)
        body: list[asyncio.Task[Any]] = []
        for delay, arrival in self._arrivals(key_value, instance):
            self._loop.call_later(delay, arrival)
        for given in self._scenario.givens:
            if isinstance(given, CancelModel):
                self._loop.call_later(delay_of(given.delay, self._value), self._cancel, body)

        async def main() -> Any:
            task = asyncio.current_task()
            assert task
            body.append(task)
            return await instance.run(wire)

        return instance, main()

    def _cancel(self, body: list[asyncio.Task[Any]]) -> None:
        self._world.log(Event.NOTE, "cancelled from outside")
        body[0].cancel()

    def _parameters(self) -> dict[str, Any]:
        run = self._scenario.run
        if run.event is None:
            return {n: self._value(e) for n, e in run.arguments.items()}
        event = self._message(run.event)
        start = next(s for s in self._saga.starts if s.event == event.type)
        self._world.log(Event.ARRIVED, self._world.message(event))
        self._numbered.began(event)
        return {n: self._value(e, {start.name: event}) for n, e in start.arguments.items()}

    def _arrivals(self, key: Any, instance: Instance) -> list[tuple[float, Callable[[], None]]]:
        """What comes, and after how many seconds, in that order: where an event does not name its
        number, it is the next one."""
        givens = [g for g in self._scenario.givens if isinstance(g, ArrivalModel)]
        timed = [(delay_of(g.delay, self._value), g.message) for g in givens]
        timed.sort(key=lambda each: each[0])
        return [(delay, self._arrival(message, key, instance)) for delay, message in timed]

    def _arrival(self, pattern: PatternModel, key: Any, instance: Instance) -> Callable[[], None]:
        """What happens when it comes: an event, a signal or an update."""
        message = self._message(pattern, key)
        if not self._key_field(message.type):
            return self._reached(message, key, instance)
        message, number = self._numbered.numbered(message, pattern.fields)
        reached = self._reached(message, key, instance)
        if number is None:
            return reached
        return partial(self._numbered.come, message, number, reached)

    def _reached(self, message: Struct, key: Any, instance: Instance) -> Callable[[], None]:
        for update in self._saga.updates:
            if update.record == message.type:
                return partial(instance.change, update, message)
        field = self._key_field(message.type)
        if field and str(message[field]) != str(key):
            return partial(instance.miss, message, field)
        return partial(instance.arrive, message, field)

    def _message(self, pattern: PatternModel, key: Any = None) -> Struct:
        """An event that comes, with the saga's key if no other is said; or one of its inputs."""
        named = {n: self._value(e) for n, e in pattern.fields.items()}
        field = self._key_field(pattern.name)
        like = {} if key is None or not field else {field: key}
        event = self._examples.message(pattern.name, named, like)
        self._codec.encode(event, event.type)
        return event

    def _key_field(self, message: str) -> str:
        """The field that holds an event's key; a signal or an update has none."""
        inputs = {s.record for s in self._saga.signals} | {u.record for u in self._saga.updates}
        return "" if message in inputs else self._program.event(message).key

    def _ended(self, task: asyncio.Task[Any]) -> None:
        course = self._course
        try:
            result = self._world.symbols.result(self._scenario.run.saga, task.result())
            course.end, course.result = End.RETURNED, result
        except SagaFailed as failed:
            course.end, course.reason = End.FAILED, str(failed)
        except CompensationFailed as failed:
            course.end, course.reason = End.FAILED, str(failed)
        except asyncio.CancelledError:
            course.end, course.reason = End.CANCELLED, "cancelled"
        except EndlessError:
            course.end, course.reason = End.ENDLESS, "it acts on and on"
