"""What the editor says of the words that the language gives: none is missing, none is too many."""

from __future__ import annotations

import re

import pytest

from dsl.cel.overloads import FUNCTIONS, MACROS, METHODS
from dsl.editor.settings import DELIVERY, FORMS, SETTINGS
from dsl.editor.words import CALLS, WORDS
from dsl.load import check_texts
from dsl.types import DECLARABLE
from tests.editors.engine import keywords


def listed(text: str) -> list[str]:
    """The names in backticks in the help of the last finding of a text."""
    return re.findall(r"`([a-z_]+)", check_texts({"f": f"module f\n{text}"}).diagnostics[-1].help)


def test_every_word_of_the_language_is_explained() -> None:
    """Every keyword, type, function, method and macro has a line for hovers and completions."""
    assert keywords() | {*DECLARABLE, "timeout", "exhausted"} <= set(WORDS)
    assert set(CALLS) == {*FUNCTIONS, *METHODS, *MACROS, "has"}


def test_settings_are_those_of_the_checker() -> None:
    """The editor knows the settings that policies and services have."""
    assert list(SETTINGS["policy"]) == listed("policy p { zzz: 1 }")
    assert set(SETTINGS["service"]) == set(listed("service s { zzz: 1 }"))


@pytest.mark.parametrize(
    ("owner", "name"), [(o, n) for o, s in SETTINGS.items() for n in s if s[n].values]
)
def test_values_of_settings_are_those_of_the_checker(owner: str, name: str) -> None:
    """The editor knows the words and forms that a setting may be."""
    assert set(SETTINGS[owner][name].values) == set(listed(f"{owner} o {{ {name}: zzz }}"))


@pytest.mark.parametrize("form", FORMS)
def test_arguments_of_forms_are_those_of_the_checker(form: str) -> None:
    """The editor knows the arguments of what is written like a call."""
    setting = {"breaker": "circuit_breaker", "topic": "events"}.get(form, "retry")
    owner = "service" if form == "topic" else "policy"
    text = f"{owner} o {{ {setting}: {form}(zzzzzzzzz: 1) }}"
    assert list(FORMS[form].arguments) == listed(text)


def test_deliveries_are_those_of_the_checker() -> None:
    """The editor knows how often an event may be delivered."""
    text = "service s { event E key k delivery zzz { k: int } }"
    assert set(DELIVERY) == set(listed(text))
