"""Every example of the page on expressions is what `orchestrate eval` makes of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dsl.cel import errors, overloads
from dsl.cel.names import TYPE_NAMES
from dsl.cel.session import as_json, evaluate, read_variables

PAGE = (Path(__file__).parents[2] / "docs" / "language" / "expressions.md").read_text("utf-8")
VARIABLES = read_variables(json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]))
NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)


def _examples() -> list[tuple[str, str]]:
    """Each expression, which may be of several lines, and what stands behind its `=>`."""
    found, begun = [], ""
    for block in re.findall(r"```cel\n(.*?)```", PAGE, re.DOTALL):
        for line in block.splitlines():
            text, arrow, wanted = line.rpartition(" => ")
            begun += (text if arrow else line) + "\n"
            if arrow:
                found.append((begun.strip(), wanted))
                begun = ""
        assert not begun, begun
    return found


EXAMPLES = _examples()


@pytest.mark.parametrize(("text", "wanted"), EXAMPLES, ids=[t for t, _ in EXAMPLES])
def test_an_example(text: str, wanted: str) -> None:
    found = as_json(evaluate(text, VARIABLES, now=NOW))
    if "error" in found:
        assert f"error: {found['error']}" == wanted
    else:
        assert f"{json.dumps(found['value'], ensure_ascii=False)} : {found['type']}" == wanted


def test_nothing_is_missing() -> None:
    """Each function, macro, operator and type occurs in an example, each error in the table."""
    written = "\n".join(text for text, _ in EXAMPLES)
    called = {*overloads.FUNCTIONS, *overloads.METHODS, *overloads.MACROS, "has"}
    assert [f for f in called if not re.search(rf"\b{f}\(", written)] == []
    signs = [*overloads.OPERATORS, "==", "!=", "in", "&&", "||", "!", "?"]
    assert [s for s in signs if f" {s}" not in f" {written}"] == []
    assert [t for t in TYPE_NAMES if t not in written] == []
    kinds = [v for n, v in vars(errors).items() if n.isupper() and isinstance(v, str)]
    assert [k for k in kinds if f"| `{k}` |" not in PAGE] == []
