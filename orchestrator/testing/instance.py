"""A saga in the world of a scenario: what its interpreter acts on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from dsl.model import Callee, wire_type
from dsl.types import Named
from dsl.values import Struct
from orchestrator.compile.plan import SagaPlan, UpdatePlan
from orchestrator.messaging.codec import CodecError
from orchestrator.runtime.backward import CompensationFailed
from orchestrator.runtime.course import Course as Way
from orchestrator.runtime.effects import (
    Command,
    CommandFailed,
    Decision,
    Finished,
    Reason,
    SagaFailed,
    Untouched,
)
from orchestrator.runtime.interpreter import Interpreter
from orchestrator.runtime.outcomes import (
    arguments_to_send,
    payload_to_send,
    unanswered,
)
from orchestrator.runtime.signature import (
    InputError,
    key_of,
    parameters_of,
    result_of,
    wire_of,
)
from orchestrator.runtime.snapshot import freeze_undos
from orchestrator.runtime.views import RefusedError, Views
from orchestrator.runtime.wire import is_undo, message_id, workflow_id
from orchestrator.testing.course import Event
from orchestrator.testing.exchange import Exchanges
from orchestrator.testing.world import World


class Instance:
    """One running saga: the effects of its interpreter. `parked` holds what a person is to decide,
    by path; `waits` what the saga is waiting for."""

    def __init__(
        self, world: World, saga: SagaPlan, key: str, caller: Instance | None = None
    ) -> None:
        self._world = world
        self._saga = saga
        self._id = workflow_id(saga.short, key)
        self.key = key
        self._mailbox: list[Struct] = []
        self._way: Way | None = None
        self._exchanges = Exchanges(world, self._id)
        #: Calls whose attempts are used up, by path: what may be parked.
        self._failed: dict[str, Command] = {}
        self._views: Views | None = None
        # What a called saga waits for, the one that called it waits for.
        self.parked: dict[str, str] = caller.parked if caller else {}
        self.waits: list[str] = caller.waits if caller else []

    async def run(self, wire: Mapping[str, Any]) -> Any:
        """The saga's result. Raises what `runtime.course.Course` raises."""
        self._world.ids.add(self._id)
        return await self._run(self._interpreter(), wire)

    async def _run(self, interpreter: Interpreter, wire: Mapping[str, Any]) -> Any:
        world = self._world
        self._views = Views(interpreter.names, world.codec, world.expressions)
        self._way = Way(interpreter.compensate, self._saga.within)
        return await self._way.run(self._forward(interpreter, wire))

    def _interpreter(self, state: Mapping[str, Any] | None = None) -> Interpreter:
        return Interpreter(self._saga, self, self._world.expressions, state=state)

    async def _forward(self, interpreter: Interpreter, wire: Mapping[str, Any]) -> Any:
        codec = self._world.codec
        result = await interpreter.run(parameters_of(self._saga, wire, codec))
        result_of(self._saga, result, codec)  # as in production, one that cannot be sent fails it
        return result

    def arrive(self, event: Struct, key: str) -> None:
        """An event comes for this saga; it is kept until a statement takes it."""
        self._world.log(Event.ARRIVED, self._world.message(event, key))
        self._mailbox.append(event)
        self._pass_on(event, key)

    def miss(self, event: Struct, key: str) -> None:
        """An event comes that is another saga's: its key is not this one's."""
        other = "" if self._pass_on(event, key) else ", which has another key"
        self._world.log(Event.ARRIVED, f"{self._world.message(event)}{other}")

    def _pass_on(self, event: Struct, key: str) -> bool:
        """Gives an event to the called sagas of its key; whether there are any."""
        found = [c for c in self._world.called.values() if key and c.key == str(event[key])]
        for called in found:
            called._mailbox.append(event)
        return bool(found)

    def change(self, update: UpdatePlan, payload: Struct) -> None:
        """An update comes for this saga: it is made at once, or refused."""
        self._world.log(Event.ARRIVED, self._world.message(payload))
        assert self._views
        try:
            wire = self._world.codec.to_wire(payload, Named(update.record))
            self._views.change(update, wire, self.now)
        except (CodecError, RefusedError) as refused:
            self._world.log(Event.NOTE, str(refused))

    # --- Effects

    def now(self) -> datetime:
        """The virtual clock."""
        return self._world.loop.instant()

    async def call(self, command: Command) -> Any:
        """Sends a command, or calls an activity; attempts, time limits and waits are those of its
        policy."""
        world, plan = self._world, self._world.plan
        world.act()
        if command.callee is Callee.SAGA:
            return await self._called(command)
        key = ""
        if command.callee is Callee.ACTIVITY:
            activity = plan.activities[command.name]
            arguments_to_send(activity, command.arguments, world.codec)
        else:
            payload_to_send(command.arguments, world.codec)
            key = plan.commands[command.name].key
        undo = " (undo)" if is_undo(command.message) else ""
        text = f"{command.shown}({world.fields(command.arguments, key)}){undo}"
        world.log(Event.SENT, text, command.arguments, command.message)
        with self._waiting(f"an answer to `{command.shown}`"):
            answer = await self._exchanges.answer(command)
        if answer is None:
            self._failed[command.message] = command
            raise unanswered(command.policy)
        return self._exchanges.read(answer, command)

    @contextmanager
    def _waiting(self, what: str) -> Iterator[None]:
        self.waits.append(what)
        try:
            yield
        finally:
            self.waits.remove(what)

    async def undo_child(self, command: Command, undos: Any) -> None:
        """Has a called saga undo what it did."""
        saga, key, _ = self._child(command)
        child = Instance(self._world, saga, key, self)
        interpreter = child._interpreter({"undos": undos, "forward": False})
        try:
            await interpreter.compensate()
        except CompensationFailed as failed:
            text = f"`{child._id}` is not undone: {failed}"
            raise CommandFailed(Reason.EXHAUSTED, text) from None

    async def _called(self, command: Command) -> Finished:
        """A called saga is played in this world, too."""
        world, task = self._world, asyncio.current_task()
        saga, key, wire = self._child(command)
        id = workflow_id(saga.short, key)
        text = f"{command.shown}({world.fields(command.arguments, '')})"
        world.log(Event.SENT, text, command.arguments, command.message)
        if id in world.ids:
            raise self._refused(f"`{id}` was started before, and a key has one saga", command)
        world.ids.add(id)
        world.called[id] = child = Instance(world, saga, key, self)
        assert task
        cancels = task.cancelling()
        interpreter = child._interpreter()
        try:
            value = await child._run(interpreter, wire)
        except (SagaFailed, CompensationFailed) as failed:
            raise self._refused(str(failed), command) from None
        except asyncio.CancelledError:
            raise Untouched from None
        finally:
            del world.called[id]
        if task.cancelling() > cancels:
            task.cancel()  # it had ended before it heard of that: it is for what comes next
        world.log(
            Event.ANSWERED,
            world.gave(command.name, value),
            path=command.message,
        )
        return Finished(value, freeze_undos(interpreter.undos))

    def _child(self, command: Command) -> tuple[SagaPlan, str, dict[str, Any]]:
        """A called saga, its key, and its parameters in wire form."""
        world = self._world
        saga = world.plan.saga(command.name)
        try:
            key = key_of(saga, command.arguments, world.expressions)
            return saga, key, wire_of(saga, command.arguments, world.codec)
        except InputError as error:
            raise SagaFailed(str(error)) from None

    def _refused(self, why: str, command: Command) -> CommandFailed:
        self._world.log(Event.FAILED, why, path=command.message)
        return CommandFailed(Reason.FAILED, why)

    async def bury(self, command: Command, reason: str) -> None:
        """A dead letter, where the policy names a topic."""
        topic = command.policy.dead_letter
        if topic and command.callee is Callee.COMMAND:
            text = f"dead letter of {wire_type(command.name)} in {topic}"
            self._world.log(Event.BURIED, text, path=command.message)

    async def publish(self, path: str, event: str, payload: Struct) -> None:
        """Publishes an event."""
        world = self._world
        world.act()
        payload_to_send(payload, world.codec)
        text = world.message(payload, world.plan.events[event].key)
        world.log(Event.PUBLISHED, text, payload, path)
        await asyncio.sleep(0)

    async def receive(
        self, arms: Sequence[tuple[str, Callable[[Struct], bool]]], limit: float | None
    ) -> tuple[int, Struct] | None:
        """Waits until an event fits, or the limit has passed."""
        self._world.act()
        found: list[tuple[int, Struct]] = []

        def arrived() -> bool:
            if not found:
                found.extend(self._matching(arms))
            return bool(found)

        with self._waiting(" or ".join(f"`{wire_type(event)}`" for event, _ in arms)):
            return found[0] if await self._world.loop.wait_condition(arrived, limit) else None

    def _matching(
        self, arms: Sequence[tuple[str, Callable[[Struct], bool]]]
    ) -> list[tuple[int, Struct]]:
        for event in self._mailbox:
            for index, (name, fits) in enumerate(arms):
                if event.type == name and fits(event):
                    self._mailbox = [e for e in self._mailbox if e is not event]
                    return [(index, event)]
        return []

    async def sleep(self, seconds: float) -> None:
        """Waits by the virtual clock."""
        self._world.act()
        await asyncio.sleep(max(0.0, seconds))

    def pass_pivot(self) -> None:
        """From here on the saga only goes forward."""
        assert self._way
        self._way.pass_pivot()
        self._world.log(Event.NOTE, "the pivot is passed")

    async def attention(self, path: str, reason: str) -> Decision:
        """Parks until a person decides, if one ever does."""
        world = self._world
        world.act()
        parked = message_id(self._id, path)
        self.parked[parked] = reason
        world.log(Event.NOTE, f"parked at {path}: {reason}", path=path)
        # What is parked on the way back may be the question for the step's own outcome.
        call = self._failed.get(path) or self._failed.get(path.removesuffix(":undo"))
        found = world.decisions.on(call) if call else None
        try:
            if found is None:
                await asyncio.get_running_loop().create_future()
                raise AssertionError("nobody decides")
            decision, delay = found
            await asyncio.sleep(delay)
        finally:
            del self.parked[parked]
        world.log(Event.NOTE, f"a person decides: {decision.value}", path=path)
        return decision

    async def settle(self) -> None:
        """Nothing gets lost here, and a scenario is one run."""
