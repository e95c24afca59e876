"""Verdicts as JUnit's XML, which build servers read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from orchestrator.cli.errors import CommandError
from orchestrator.cli.verdicts import plain
from orchestrator.testing.verdict import Verdict, ending

_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(verdicts: Sequence[tuple[Verdict, float]], path: Path) -> None:
    """One suite for each file, one case for each scenario with the seconds that it took. Raises
    CommandError when the file cannot be written."""
    root = ElementTree.Element("testsuites", _counts(verdicts))
    files = dict.fromkeys(v.scenario.place.file for v, _ in verdicts)
    for file in files:
        own = [(v, s) for v, s in verdicts if v.scenario.place.file == file]
        suite = ElementTree.SubElement(root, "testsuite", {"name": file, **_counts(own)})
        for verdict, seconds in own:
            _case(suite, verdict, seconds)
    ElementTree.indent(root)
    try:
        ElementTree.ElementTree(root).write(path, "utf-8", xml_declaration=True)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None


def _case(suite: ElementTree.Element, verdict: Verdict, seconds: float) -> None:
    scenario = verdict.scenario
    case = ElementTree.SubElement(
        suite,
        "testcase",
        {
            "classname": scenario.run.saga,
            "name": _legal(scenario.title),
            "file": scenario.place.file,
            "line": str(scenario.place.line),
            "time": f"{seconds:.3f}",
        },
    )
    if verdict.ok:
        return
    wrong = [f"{c.text}: {c.why}" for c in verdict.checks if not c.ok] or [ending(verdict.course)]
    failure = ElementTree.SubElement(case, "failure", {"message": _legal("; ".join(wrong))})
    failure.text = _legal(plain(verdict))


def _counts(verdicts: Sequence[tuple[Verdict, float]]) -> dict[str, str]:
    return {
        "tests": str(len(verdicts)),
        "failures": str(sum(not v.ok for v, _ in verdicts)),
        "time": f"{sum(s for _, s in verdicts):.3f}",
    }


def _legal(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _ILLEGAL.sub("�", text)
