"""The named points stand where the table says, and nobody but a test can do anything with them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from orchestrator import failpoint
from tests.chaos.processes import REPOSITORY


def test_every_point_stands_in_one_place() -> None:
    """A point of the table is in the code once, and the code knows no other."""
    places = Counter(
        argument.value
        for call in _calls("reach")
        for argument in call.args
        if isinstance(argument, ast.Constant)
    )
    assert places == dict.fromkeys(failpoint.POINTS, 1)


def test_nothing_in_the_product_arms_a_point() -> None:
    """Neither a setting nor the environment nor a message can: no code of the product calls
    `arm`, and the points' module reads nothing."""
    assert not list(_calls("arm"))
    source = (REPOSITORY / "orchestrator" / "failpoint.py").read_text()
    nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert {getattr(n, "module", None) for n in nodes} == {"__future__", "collections.abc"}


def test_a_point_that_is_off_does_nothing() -> None:
    """And an armed one calls the test's function with its name, until it is off again."""
    seen: list[str] = []
    failpoint.reach("handler.after-commit")
    failpoint.arm(seen.append)
    try:
        failpoint.reach("handler.after-commit")
    finally:
        failpoint.arm(None)
    failpoint.reach("handler.after-commit")
    assert seen == ["handler.after-commit"]


def _calls(name: str) -> Iterator[ast.Call]:
    """The package's calls of `failpoint.<name>`."""
    for path in (REPOSITORY / "orchestrator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(ast.Name("failpoint"), attribute)):
                    if attribute == name:
                        yield node
