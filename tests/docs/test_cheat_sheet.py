"""The cheat sheet leaves nothing out: no word of the grammar, no setting, no function."""

from __future__ import annotations

import re
from pathlib import Path

from dsl.cel import overloads
from dsl.load import check_texts
from dsl.model import PolicyModel
from orchestrator.testing.scenarios import run_scenarios

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "language" / "cheat-sheet.md").read_text("utf-8")
GRAMMAR = (ROOT / "dsl" / "grammar.lark").read_text("utf-8")
FLOW = "".join(re.findall(r"^```flow\n(.*?)^```$", PAGE, re.M | re.S))
CODE = re.sub(r"//.*", "", FLOW)


def test_its_scenarios_hold() -> None:
    """What it expects is what happens."""
    loaded = check_texts({"shop.flow": FLOW})
    assert loaded.program
    verdicts = list(run_scenarios(loaded.program, loaded.asked))
    assert [v.ok for v in verdicts] == [True, True]


def test_every_word_of_the_grammar_is_on_it() -> None:
    """In the flow, or named beside it."""
    words = re.findall(r'^[A-Z]+: "([a-z]+)"$', GRAMMAR, re.M)
    assert "saga" in words
    shown = set(re.findall(r"\w+", FLOW + "".join(re.findall(r"`([^`]+)`", PAGE))))
    assert [w for w in words if w not in shown] == []


def test_every_setting_of_a_policy_is_on_it() -> None:
    """With a value."""
    kept = {"name", "doc", "attempts", "initial", "factor", "maximum", "jitter", "place"}
    settings = {*PolicyModel.__struct_fields__, "retry"} - kept
    assert [s for s in settings if not re.search(rf"^  {s}: ", CODE, re.M)] == []


def test_every_function_is_on_it() -> None:
    """And every operator and macro."""
    called = {*overloads.FUNCTIONS, *overloads.METHODS, *overloads.MACROS, "has"}
    assert [f for f in called if not re.search(rf"\b{f}\b", PAGE)] == []
    signs = [*overloads.OPERATORS, "==", "!=", "in", "&&", "!", "?"]
    assert [s for s in signs if s not in PAGE] == []
