"""Ways to type and to run expressions that speak of a small shop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cel_shop import VALUES, Shop, parse, type_of

from dsl import syntax
from dsl.cel.check import Typed
from dsl.cel.evaluate import compile_node


@pytest.fixture
def typed() -> Callable[..., Typed]:
    """Types a text in the shop."""
    return type_of


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def tree() -> Callable[[str], syntax.Expr]:
    """Parses a text."""
    return parse


@pytest.fixture
def run() -> Callable[..., Any]:
    """Types a text, which must have no errors, and gives its value."""

    def evaluate(text: str, **values: Any) -> Any:
        found = type_of(text)
        assert not found.diagnostics
        return compile_node(found.node)({**VALUES, **values})

    return evaluate
