"""Scenarios: tests of sagas, checked against the contracts and the saga that they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dsl import syntax
from dsl.cel.scope import FieldShape
from dsl.check.block import arguments, place
from dsl.check.callees import Callees
from dsl.check.expects import check_expect
from dsl.check.givens import check_given
from dsl.check.imports import offer
from dsl.check.messages import Messages
from dsl.check.names import Module
from dsl.check.report import Report, did_you_mean
from dsl.check.scene import Scene, partial
from dsl.check.scope import ModuleScope
from dsl.diagnostic import Note
from dsl.model import PatternModel, RunModel, SagaModel, ScenarioModel


class Scenarios:
    """Checks the scenarios of a module; `sagas` are those of all modules, by module."""

    def __init__(
        self,
        messages: Messages,
        callees: Callees,
        sagas: Mapping[str, Sequence[SagaModel]],
        report: Report,
    ) -> None:
        self._messages = messages
        self._callees = callees
        self._sagas = {s.name: s for owned in sagas.values() for s in owned}
        self._report = report

    def declared(self, module: Module, scope: ModuleScope) -> tuple[ScenarioModel, ...]:
        """The scenarios that a module declares."""
        titles: dict[object, syntax.ScenarioDecl] = {}
        models = []
        for scenario in module.file.scenarios:
            first = titles.setdefault(scenario.title.value, scenario)
            if first is not scenario:
                also = (Note(first.title.at, "the first one"),)
                message, help = "a second scenario of this title", "give each a title of its own"
                self._report.add("F102", message, scenario.title.at, "again", help, also)
            models.append(self._scenario(scenario, module, scope))
        return tuple(m for m in models if m)

    def _scenario(
        self, scenario: syntax.ScenarioDecl, module: Module, scope: ModuleScope
    ) -> ScenarioModel | None:
        scene = Scene(module, scope, self._messages, self._callees, self._report)
        scene.sagas = self._sagas
        run = self._run(scenario, scene)
        scene.saga = self._sagas.get(run.saga) if run else None
        givens = [check_given(g, scene) for g in scenario.parts if isinstance(g, syntax.Given)]
        expects = [check_expect(e, scene) for e in scenario.parts if isinstance(e, syntax.Expect)]
        _one_end(scenario, self._report)
        if run is None:
            return None
        return ScenarioModel(
            title=str(scenario.title.value),
            run=run,
            givens=tuple(g for g in givens if g),
            expects=tuple(e for e in expects if e),
            doc=scenario.doc,
            place=place(scenario.at),
        )

    def _run(self, scenario: syntax.ScenarioDecl, scene: Scene) -> RunModel | None:
        runs = [p for p in scenario.parts if isinstance(p, syntax.RunSaga)]
        if not runs:
            message, help = "this scenario runs nothing", "add `run Saga(…)` or `run on Event(…)`"
            self._report.add("F360", message, scenario.title.at, "no `run`", help)
            return None
        first, *more = runs
        for again in more:
            also = (Note(first.callee.callee.at, "said here first"),)
            message, help = "a second `run`", "make it a scenario of its own"
            self._report.add("F004", message, again.callee.callee.at, "said again", help, also)
        return self._on_event(first, scene) if first.on_event else self._directly(first, scene)

    def _directly(self, run: syntax.RunSaga, scene: Scene) -> RunModel | None:
        path = run.callee.callee
        symbol = scene.module.find(path.text)
        if symbol is None or not isinstance(symbol.declaration, syntax.SagaDecl):
            known = scene.module.names_of(syntax.SagaDecl)
            found = offer(path.text, syntax.SagaDecl, scene.module)
            help = found.help or did_you_mean(path.text, known) or "declare it, or import it"
            message = f"no saga named `{path.text}`"
            self._report.add("F101", message, path.at, "not a saga", help, fix=found.fix)
            return None
        saga = self._sagas[symbol.name]
        shapes = tuple(FieldShape(p.name, p.type) for p in saga.parameters)
        nodes = arguments(run.callee.arguments, shapes, scene.scope, path, self._report)
        return RunModel(saga=saga.name, arguments=nodes)

    def _on_event(self, run: syntax.RunSaga, scene: Scene) -> RunModel | None:
        path = run.callee.callee
        event = self._messages.event(path, scene.module)
        if event is None:
            return None
        fields = partial(run.callee, scene.shape(event.name), scene)
        names = {s.name for s in scene.module.visible.values()}
        started = [s for n, s in self._sagas.items() if n in names and _starts_on(s, event.name)]
        if len(started) != 1:
            short = " and ".join(f"`{s.name.rpartition('.')[2]}`" for s in started)
            message = (
                f"{short} start on `{path.text}`"
                if short
                else (f"no saga in sight starts on `{path.text}`")
            )
            help = "run one of them: `run Saga(…)`" if short else "`run Saga(…)`, or import one"
            self._report.add(
                "F362", message, path.at, "which one?" if short else "starts nothing", help
            )
            return None
        pattern = PatternModel(name=event.name, fields=fields)
        return RunModel(saga=started[0].name, event=pattern)


def _starts_on(saga: SagaModel, event: str) -> bool:
    return any(s.event == event for s in saga.starts)


def _one_end(scenario: syntax.ScenarioDecl, report: Report) -> None:
    ends = [
        p
        for p in scenario.parts
        if isinstance(p, syntax.ExpectResult | syntax.ExpectFailure | syntax.ExpectParked)
    ]
    for again in ends[1:]:
        also = (Note(ends[0].at, "the first one"),)
        message, help = "a second end of the saga", "keep one: a saga ends once"
        report.add("F363", message, again.at, "cannot hold too", help, also)
