"""Statements of the model to instructions of the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from dsl.model import (
    AwaitModel,
    BranchModel,
    EmitModel,
    Exhausted,
    FailModel,
    ForModel,
    HandlerModel,
    IfModel,
    LetModel,
    MatchModel,
    ParallelModel,
    RaceModel,
    ReturnModel,
    SetModel,
    SleepModel,
    Statement,
    StepModel,
    TryModel,
    WhileModel,
    YieldModel,
)
from orchestrator.compile.grants import call_plan
from orchestrator.compile.plan import (
    ArmPlan,
    AwaitPlan,
    BranchPlan,
    CasePlan,
    EmitPlan,
    FailPlan,
    ForPlan,
    HandlerPlan,
    IfPlan,
    Instruction,
    LetPlan,
    MatchPlan,
    ParallelPlan,
    RacePlan,
    ReturnPlan,
    SetPlan,
    SleepPlan,
    StepPlan,
    TryPlan,
    WhilePlan,
    YieldPlan,
)


class Lowering:
    """Gives every instruction that has an effect a path of its own: the branches it stands in,
    its name, and a number where that is taken (two sides of an `if` may use one name)."""

    def __init__(self, read: frozenset[str]) -> None:
        self._read = read
        self._forward = False  # the pivot stands before
        self._taken: Counter[str] = Counter()
        self._inside: tuple[str, ...] = ()

    def block(self, statements: Iterable[Statement]) -> tuple[Instruction, ...]:
        """The instructions of a block. Blocks are lowered in the order of the text."""
        return tuple(self._one(s) for s in statements)

    def _path(self, name: str) -> str:
        path = ".".join((*self._inside, name))
        self._taken[path] += 1
        return path if self._taken[path] == 1 else f"{path}~{self._taken[path]}"

    def _one(self, statement: Statement) -> Instruction:
        match statement:
            case StepModel():
                return self._step(statement)
            case LetModel(name=name, value=value, place=place):
                return LetPlan(name=name, value=value, place=place)
            case SetModel(name=name, value=value, place=place):
                return SetPlan(name=name, value=value, place=place)
            case IfModel() | MatchModel() | TryModel():
                return self._choice(statement)
            case WhileModel() | ForModel():
                return self._loop(statement)
            case YieldModel(value=value, place=place):
                return YieldPlan(value=value, place=place)
            case ParallelModel():
                return self._parallel(statement)
            case RaceModel():
                return self._race(statement)
            case AwaitModel():
                return self._await(statement)
            case SleepModel(time=time, text=text, place=place):
                return SleepPlan(time=time, text=text, place=place)
            case EmitModel(event=event, arguments=arguments, place=place):
                path = self._path(event.rpartition(".")[2])
                return EmitPlan(path=path, event=event, arguments=arguments, place=place)
            case FailModel(reason=reason, text=text, place=place):
                return FailPlan(reason=reason, text=text, place=place)
            case ReturnModel(value=value, place=place):
                return ReturnPlan(value=value, place=place)

    def _choice(self, statement: IfModel | MatchModel | TryModel) -> Instruction:
        match statement:
            case IfModel():
                return IfPlan(
                    condition=statement.condition,
                    text=statement.text,
                    then=self.block(statement.then),
                    otherwise=self.block(statement.otherwise),
                    place=statement.place,
                )
            case MatchModel(otherwise=otherwise):
                cases = tuple(
                    CasePlan(pattern=c.pattern, name=c.name, body=self.block(c.body))
                    for c in statement.cases
                )
                return MatchPlan(
                    subject=statement.subject,
                    text=statement.text,
                    cases=cases,
                    otherwise=self.block(otherwise) if otherwise is not None else None,
                    place=statement.place,
                )
            case TryModel():
                return TryPlan(
                    body=self.block(statement.body),
                    handlers=tuple(self._handler(h) for h in statement.handlers),
                    place=statement.place,
                )

    def _loop(self, statement: WhileModel | ForModel) -> Instruction:
        body = self.block(statement.body)
        if isinstance(statement, WhileModel):
            return WhilePlan(
                condition=statement.condition,
                text=statement.text,
                body=body,
                place=statement.place,
            )
        return ForPlan(
            name=statement.name,
            items=statement.items,
            text=statement.text,
            at_most=statement.at_most,
            body=body,
            collect=statement.collect,
            place=statement.place,
        )

    def _race(self, race: RaceModel) -> RacePlan:
        arms = tuple(
            ArmPlan(
                event=a.event,
                signal=a.signal,
                name=a.name,
                condition=a.condition,
                text=a.text,
                body=self.block(a.body),
            )
            for a in race.arms
        )
        return RacePlan(arms=arms, limit=race.limit, after=self.block(race.after), place=race.place)

    def _step(self, step: StepModel) -> StepPlan:
        parks = self._forward or step.policy.exhausted is Exhausted.PARK
        needed = parks and step.name in self._read
        path = self._path(step.name)
        undo_body = self._undo(path, step.undo_body) if step.undo_body is not None else None
        self._forward = self._forward or step.pivot
        return StepPlan(
            path=path,
            needed=needed,
            name=step.name,
            call=call_plan(step.call, step.policy),
            undo=call_plan(step.undo, step.undo_policy) if step.undo and step.undo_policy else None,
            undo_body=undo_body,
            undoes_itself=step.undoes_itself,
            undo_reads_reply=step.undo_reads_reply,
            handlers=tuple(self._handler(h) for h in step.handlers),
            pivot=step.pivot,
            place=step.place,
        )

    def _undo(self, path: str, body: tuple[Statement, ...]) -> tuple[Instruction, ...]:
        """An undo's paths begin with that of its step: `taken:undo.told`."""
        outside, self._inside = self._inside, (f"{path}:undo",)
        lowered = self.block(body)
        self._inside = outside
        return lowered

    def _handler(self, handler: HandlerModel) -> HandlerPlan:
        body = self.block(handler.body)
        return HandlerPlan(failure=handler.failure, name=handler.name, body=body)

    def _parallel(self, parallel: ParallelModel) -> ParallelPlan:
        path = self._path("parallel")
        return ParallelPlan(
            path=path,
            branches=tuple(self._branch(b) for b in parallel.branches),
            place=parallel.place,
        )

    def _branch(self, branch: BranchModel) -> BranchPlan:
        outside = self._inside
        self._inside = (*outside, branch.name)
        body = self.block(branch.body)
        self._inside = outside
        exports = tuple(s.name for s in branch.body if isinstance(s, StepModel))
        return BranchPlan(name=branch.name, body=body, exports=exports)

    def _await(self, statement: AwaitModel) -> AwaitPlan:
        fields: dict[str, Any] = {
            name: getattr(statement, name)
            for name in ("event", "signal", "name", "condition", "text", "within", "place")
        }
        on_timeout = statement.on_timeout
        return AwaitPlan(
            path=self._path(statement.name or statement.event.rpartition(".")[2]),
            on_timeout=self.block(on_timeout) if on_timeout is not None else None,
            **fields,
        )
