"""Diagnostics as text with carets, and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from dsl.diagnostic import Diagnostic, Edit
from dsl.source import Span

#: How much of a line is shown.
_LONGEST = 160

_QUOTED = re.compile(f"`([^`]{{{_LONGEST + 1},}})`")

#: Control characters as the signs that picture them.
_VISIBLE = str.maketrans(
    {chr(n): chr(0x2400 + n) for n in range(32)}
    | {"\t": "    ", "\x7f": "\u2421", "\ufeff": "\ufffd"}
)


def to_text(diagnostic: Diagnostic) -> str:
    """The finding as a person reads it in a terminal."""
    head = f"{diagnostic.severity}[{diagnostic.code}]: {_cropped(diagnostic.message)}"
    places = [(diagnostic.at, diagnostic.label), *((n.at, n.label) for n in diagnostic.also)]
    width = max(len(str(_line(at))) for at, _ in places)
    lines = [head]
    for i, (at, label) in enumerate(places):
        arrow = "┌─" if i == 0 or at.source is not places[i - 1][0].source else "├─"
        lines.append(f"{' ' * width} {arrow} {at}")
        if at.source.text:
            lines += _excerpt(at, label, width, "^" if i == 0 else "-")
    if diagnostic.help:
        lines.append(f"{' ' * width} = help: {_cropped(diagnostic.help)}")
    return "\n".join(lines)


def _cropped(sentence: str) -> str:
    """A sentence with what it quotes as far as a line goes."""
    return _QUOTED.sub(lambda quoted: f"`{quoted[1][: _LONGEST - 1]}…`", sentence)


def to_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """The finding as data: 1-based lines and columns, the end exclusive; `fix` are texts to put in
    the places of others."""
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "label": diagnostic.label,
        "help": diagnostic.help,
        **_place(diagnostic.at),
        "also": [{"label": n.label, **_place(n.at)} for n in diagnostic.also],
        "fix": [{"text": e.text, **_place(e.at)} for e in diagnostic.fix],
    }


def to_change(edit: Edit) -> str:
    """What an edit does, on one line: `- old` and `+ new`, as far as there are."""
    signs = (("-", edit.at.text), ("+", edit.text))
    return " ".join(f"{sign} `{_short(text)}`" for sign, text in signs if text.strip())


def _short(text: str) -> str:
    line = " ".join(text.split())
    return _shown(line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…")


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """How many of each kind: `2 errors, 1 warning`; empty when there is nothing."""
    counts: dict[str, int] = {}
    for d in diagnostics:
        counts[d.severity] = counts.get(d.severity, 0) + 1
    return ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in sorted(counts.items()))


def _line(at: Span) -> int:
    return at.source.position(at.start)[0]


def _excerpt(at: Span, label: str, width: int, mark: str) -> list[str]:
    number, column = at.source.position(at.start)
    text = at.source.line(number)
    start, end = column - 1, min(column - 1 + max(at.end - at.start, 1), len(text))
    left = max(start - _LONGEST // 2, 0) if len(text) > _LONGEST else 0
    right = min(left + _LONGEST, len(text))
    before, inside, after = (
        _shown(text[a:b]) for a, b in ((left, start), (start, min(end, right)), (end, right))
    )
    before = "…" + before if left else before
    after = after + "…" if right < len(text) else after
    return [
        f"{number:>{width}}│ {before}{inside}{after}".rstrip(),
        f"{' ' * width}│ {' ' * len(before)}{mark * max(len(inside), 1)} {label}".rstrip(),
    ]


def _shown(text: str) -> str:
    """Tabs as blanks, so that the carets stand where the text does; no sign reaches the terminal
    that would steer it."""
    return text.translate(_VISIBLE)


def _place(at: Span) -> dict[str, Any]:
    line, column = at.source.position(at.start)
    end_line, end_column = at.source.position(at.end)
    return {
        "path": at.source.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }
