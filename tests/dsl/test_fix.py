"""What a diagnostic says how to put right is put right, and nothing else is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.fix import fixed
from dsl.load import Loaded, check_texts
from tests.dsl.golden import cases, code_of, loaded

#: The cases of the corpus that are clean once their fixes are taken.
FIXABLE = [c for c in cases() if any(d.fix for d in loaded(c).diagnostics)]
#: The fix uncovers another mistake.
UNCOVERED = {"F101-signal": "F307"}


def rounds(found: Loaded) -> Loaded:
    """What is left when no fix is."""
    texts = dict(found.sources)
    for _ in range(10):
        outcome = fixed(found.diagnostics, texts)
        if not outcome.taken:
            return found
        texts |= outcome.texts
        found = check_texts(texts)
    raise AssertionError("fixes without an end")


def text(source: str) -> str:
    """One text with its fixes taken."""
    return rounds(check_texts({"m.flow": source})).sources["m.flow"]


@pytest.mark.parametrize("case", FIXABLE, ids=lambda p: p.name)
def test_a_fixed_file_checks_clean(case: Path) -> None:
    left = rounds(loaded(case)).diagnostics
    assert [d.code for d in left] == [c for n, c in UNCOVERED.items() if n == case.name]


def test_the_codes_that_have_fixes() -> None:
    assert {code_of(c) for c in FIXABLE} == {
        *("F001", "F101", "F103", "F104", "F105", "F106", "F202", "F204", "F205", "F210", "F213"),
        *("F305", "F307", "F314", "F324", "F333", "F344"),
    }


SERVICE = """\
service s {
  command C key k { k: string } replies One | Two | Three fails Bad
  event One key k { k: string }
  event Two key k { k: string }
  event Three key k { k: string }
  event Bad key k { k: string }
}
"""


def test_missing_cases_are_added_and_fail() -> None:
    before = f"module m\n{SERVICE}saga S(k: string) key k {{\n  step a = s.C(k: k)\n    undo none\n"
    assert text(before + "  match a {\n    case Two { }\n  }\n}\n") == before + (
        "  match a {\n    case Two { }\n"
        '    case One { fail "One" }\n    case Three { fail "Three" }\n  }\n}\n'
    )
    assert text(before + "  match a { case Two { } case One { } }\n}\n") == before + (
        '  match a { case Two { } case One { } case Three { fail "Three" } }\n}\n'
    )


def test_after_the_pivot_a_person_says_what_a_case_does() -> None:
    source = (
        f"module m\n{SERVICE}saga S(k: string) key k {{\n"
        '  pivot step a = s.C(k: k)\n    undo none\n    on Bad { fail "bad" }\n'
        "  match a { case Two { } }\n}\n"
    )
    assert text(source) == source


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  let x = 1\n", "  let _x = 1\n"),
        ("  for x in [1] { }\n", "  for _x in [1] { }\n"),
        ("  await s.One as one\n", "  await s.One\n"),
        ("  race { on s.One as one { } }\n", "  race { on s.One { } }\n"),
        ("  race { on s.One\n    as one { } }\n", "  race { on s.One\n    { } }\n"),
        ("  var x = 1\n  set x = 2\n", "  var x = 1\n  set x = 2\n"),
        ("  await s.Thre\n", "  await s.Three\n"),
        ("  await One\n", "  await s.One\n"),
        ('  fail "a", \n', '  fail "a" \n'),
        ("  sleep 1s;\n", "  sleep 1s\n"),
        ("  let _x = 5u\n", "  let _x = 5\n"),
    ],
)
def test_what_is_put_right_in_a_saga(before: str, after: str) -> None:
    head = f"module m\n{SERVICE}saga S(k: string) key k {{\n"
    assert text(head + before + "}\n") == head + after + "}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from a import A, B, C\nrecord R { b: B }\n", "from a import B\nrecord R { b: B }\n"),
        ("from a import\n A,\n B\nrecord R { a: A }\n", "from a import\n A\nrecord R { a: A }\n"),
        ("from a import A, B\nrecord R { }\n", "record R { }\n"),
        ("from a import A record R { }\n", "record R { }\n"),
        ("from a import A\nrecord R { b: B }\n", "from a import B\nrecord R { b: B }\n"),
        (
            "from a import A\nrecord R { a: A b: B }\n",
            "from a import A, B\nrecord R { a: A b: B }\n",
        ),
    ],
)
def test_imports_are_what_is_used(before: str, after: str) -> None:
    other = "module a record A { } record B { } record C { }"
    found = rounds(check_texts({"a.flow": other, "m.flow": f"module m\n{before}"}))
    assert found.diagnostics == ()
    assert found.sources["m.flow"] == f"module m\n{after}"


def test_a_first_import_stands_below_the_module() -> None:
    other = "module a record A { }"
    found = rounds(check_texts({"a.flow": other, "m.flow": "module m\n\nrecord R { a: A }\n"}))
    assert found.sources["m.flow"] == "module m\n\nfrom a import A\n\nrecord R { a: A }\n"


def test_a_name_that_is_only_remotely_alike_is_left_to_a_person() -> None:
    source = "module m\nrecord R { a: strange }\n"
    assert text(source) == source


def test_only_the_files_that_are_named_change() -> None:
    found = check_texts({"a.flow": "module a record A { a: strin }", "m.flow": "module m"})
    assert fixed(found.diagnostics, {"m.flow"}).texts == {}
