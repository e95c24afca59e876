"""CEL's public conformance cases, as far as the language claims them.

The facts are those of github.com/google/cel-spec (`section` is its file there, under
`tests/simple/testdata`), noted in `tests/golden/cel/` by what they are about. Left out are
unsigned ints, protobuf messages and what rests on them. A case is evaluated as it stands; unless
CEL itself does not check it (`unchecked`), it is also typed first.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dsl.cel.session import Failed, as_json, evaluate, read_variables
from tests.cli.program import PROGRAM, environment

FOLDER = Path(__file__).parents[2] / "golden" / "cel"
CASES = [
    json.loads(line)
    for path in sorted(FOLDER.glob("*.jsonl"))
    for line in path.read_text("utf-8").splitlines()
]

#: Where the language gives something else, and why.
DEVIATIONS: dict[str, str] = {}
#: How many cases of each of CEL's files are claimed; fewer would be a loss.
CLAIMED = {
    "basic": 37,
    "comparisons": 225,
    "conversions": 66,
    "fields": 28,
    "fp_math": 30,
    "integer_math": 41,
    "lists": 23,
    "logic": 30,
    "macros": 42,
    "parse": 206,
    "plumbing": 5,
    "string": 51,
    "timestamps": 76,
}


def _wanted(case: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether a result is the case's: the same JSON, or an error of that kind."""
    if "error" in case:
        return str(found.get("error", "")).startswith(case["error"])
    # As texts: in Python 1 == 1.0 == True, and -0.0 == 0.0.
    return _text(found) == _text({"value": case["value"], "type": case["type"]})


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True)


def _is_fulfilled(case: dict[str, Any], *, checked: bool) -> bool:
    variables = read_variables(case.get("vars", {}))
    outcome = evaluate(case["expr"], variables, checked=checked)
    if "error" in case and isinstance(outcome, Failed) and outcome.diagnostics:
        return True  # found before anything runs
    return _wanted(case, as_json(outcome))


def _modes() -> list[Any]:
    found = []
    for case in CASES:
        for checked in (False,) if case.get("unchecked") else (False, True):
            reason = DEVIATIONS.get(case["expr"])
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            id = f"{case['section']}: {case['expr']}{' (checked)' if checked else ''}"
            found.append(pytest.param(case, checked, marks=marks, id=id))
    return found


@pytest.mark.parametrize(("case", "checked"), _modes())
def test_conformance(case: dict[str, Any], checked: bool) -> None:
    assert _is_fulfilled(case, checked=checked)


def test_no_case_got_lost() -> None:
    assert Counter(case["section"] for case in CASES) == CLAIMED
    assert set(DEVIATIONS) <= {case["expr"] for case in CASES}


def test_all_at_once_from_the_command_line(tmp_path: Path) -> None:
    """`orchestrate eval --jsonl` answers each line, in order, as the language itself does."""
    lines = "".join(json.dumps(case) + "\n" for case in CASES)
    done = subprocess.run(
        [*PROGRAM, "eval", "--jsonl"],
        input=lines.encode(),
        env=environment(tmp_path),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == b""
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(CASES)
    wrong = [
        case["expr"]
        for case, answer in zip(CASES, answers, strict=True)
        if not _wanted(case, answer)
    ]
    assert set(wrong) == set(DEVIATIONS)
