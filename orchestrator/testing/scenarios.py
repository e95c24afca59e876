"""All scenarios of a program, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dsl.cel.evaluate import CLOCK
from dsl.model import Program, ScenarioModel
from orchestrator.compile.compile import compile_module
from orchestrator.compile.plan import Plan
from orchestrator.runtime.evaluation import Expressions
from orchestrator.testing.clock import START
from orchestrator.testing.play import play
from orchestrator.testing.verdict import Verdict, judge


def run_scenarios(
    program: Program,
    modules: Sequence[str],
    chosen: Callable[[ScenarioModel], bool] = lambda _: True,
) -> Iterator[Verdict]:
    """The verdicts on the scenarios of some modules, in the order of the text, each when it is
    there. What a scenario expects is evaluated at its start."""
    plans: dict[str, Plan] = {}
    expressions = Expressions()
    for module in modules:
        for scenario in program.modules[module].scenarios:
            if chosen(scenario):
                owner = scenario.run.saga.rpartition(".")[0]
                plan = plans.get(owner) or plans.setdefault(owner, compile_module(program, owner))
                course = play(scenario, program, plan)
                yield judge(
                    scenario, course, lambda node: expressions.evaluate(node, {CLOCK: START})
                )
