"""The checker's table of contents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dsl import syntax
from dsl.check.activities import activities
from dsl.check.callees import Callees
from dsl.check.contracts import Contracts
from dsl.check.data import Data, enums
from dsl.check.imports import check_imports
from dsl.check.keys import check_keys
from dsl.check.lost import without_consequences
from dsl.check.messages import Messages
from dsl.check.names import collect
from dsl.check.numbers import Numbers
from dsl.check.policies import Policies
from dsl.check.recursion import check_recursion
from dsl.check.report import Report
from dsl.check.sagas import Sagas
from dsl.check.scenarios import Scenarios
from dsl.check.signatures import signatures
from dsl.check.states import States
from dsl.check.types import TypeResolver
from dsl.check.waiting import check_waiting
from dsl.depth import make_room
from dsl.diagnostic import Diagnostic
from dsl.memory import uncollected
from dsl.model import ModuleModel, Program


@uncollected()
def check_program(
    files: Sequence[syntax.File], elsewhere: frozenset[str] = frozenset()
) -> tuple[Program, tuple[Diagnostic, ...]]:
    """The typed model of all files together, and what is wrong with them. `elsewhere` are events
    that other files are known to emit, by qualified name.

    With an error among the diagnostics the program is incomplete and must not be used.
    """
    make_room()
    report = Report()
    modules = collect(files, report)
    data = Data(modules, types := TypeResolver(modules, report), report)
    for module in modules.values():
        types.aliases(module)
    data.check_finite()
    policies = Policies(modules, report)
    contracts = Contracts(data, policies, report)
    services = {m.name: contracts.declared(m) for m in modules.values()}
    messages = Messages((s for owned in services.values() for s in owned), report)
    Numbers(data, report).check(s for owned in services.values() for s in owned)
    check_keys(modules.values(), data, report)
    functions = {m.name: activities(m, types, report) for m in modules.values()}
    called = (a for owned in functions.values() for a in owned)
    taken = signatures(modules.values(), types)
    callees = Callees(messages, called, taken, data.shape, report)
    sagas = Sagas(types, messages, callees, policies, taken, report)
    made = {m.name: sagas.declared(m, data.scope(m)) for m in modules.values()}
    scenarios = Scenarios(messages, callees, made, report)
    states = States(data, messages, report)
    models = {
        m.name: ModuleModel(
            name=m.name,
            path=m.file.source.path,
            records=data.records(m),
            enums=enums(m, report),
            policies=policies.declared(m),
            services=services[m.name],
            activities=functions[m.name],
            sagas=made[m.name],
            aggregates=states.aggregates(m),
            projections=states.projections(m),
            scenarios=scenarios.declared(m, data.scope(m)),
        )
        for m in modules.values()
    }
    circular = check_recursion(modules.values(), report)
    check_waiting(modules, messages, elsewhere, circular, report)
    check_imports(modules.values(), report)
    found = without_consequences(report.diagnostics, modules)
    return Program(modules=models), in_order(found, files)


def in_order(
    diagnostics: Iterable[Diagnostic], files: Iterable[syntax.File]
) -> tuple[Diagnostic, ...]:
    """Sorted by file, in the order of `files`, and by position."""
    rank = {f.source.path: n for n, f in enumerate(files)}
    return tuple(
        sorted(
            diagnostics,
            key=lambda d: (rank.get(d.at.source.path, -1), d.at.start, d.at.end, d.code),
        )
    )
