"""Doc comments: the `///` lines directly above a declaration."""

from __future__ import annotations

from dsl.source import Source


def doc_above(source: Source, offset: int) -> str:
    """The text of the `///` lines above the line of `offset`, joined by newlines; else empty."""
    number, column = source.position(offset)
    if source.line(number)[: column - 1].strip():
        return ""
    lines: list[str] = []
    while number > 1:
        number -= 1
        line = source.line(number).strip()
        if not line.startswith("///"):
            break
        lines.append(line[3:].strip())
    return "\n".join(reversed(lines))
