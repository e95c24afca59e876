"""What a formatted text is made of before it is known where its lines end.

Wadler's way of printing prettily ("A prettier printer", 2003): a group is written on one line if
it fits, else at each of its own lines.
"""

from __future__ import annotations

from typing import TypeAlias


class Line:
    """Where a line may end: `flat` is what stands there if it does not. With None it always ends,
    and `blank` leaves an empty line."""

    __slots__ = ("blank", "flat")

    def __init__(self, flat: str | None, blank: bool = False) -> None:
        self.flat = flat
        self.blank = blank


class Group:
    """What stands on one line when it fits; never with `broken`."""

    __slots__ = ("broken", "parts")

    def __init__(self, parts: list[Doc], broken: bool = False) -> None:
        self.parts = parts
        self.broken = broken


class Indent:
    """What stands further to the right where lines end in it."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Doc]) -> None:
        self.parts = parts


class IfBroken:
    """A sign that is there only when the group around is not on one line."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Remarks:
    """Comments, each on a line of its own; with `blank` an empty line stands before it unless it
    is the first. `blank_after` leaves one after the last."""

    __slots__ = ("blank_after", "comments")

    def __init__(self, comments: list[tuple[bool, str]], blank_after: bool = False) -> None:
        self.comments = comments
        self.blank_after = blank_after


class Remark:
    """A comment behind what stands before it, which ends the line."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


Doc: TypeAlias = "str | list[Doc] | Line | Group | Indent | IfBroken | Remarks | Remark"

#: A blank, nothing, or two blanks, when the line does not end.
LINE, SOFT, GAP = Line(" "), Line(""), Line("  ")
NEW, APART = Line(None), Line(None, blank=True)
