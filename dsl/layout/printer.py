"""Writes a page: decides which groups stand on one line."""

from __future__ import annotations

from dsl.depth import DEEPEST_BLOCK
from dsl.layout.page import Doc, Group, IfBroken, Indent, Line, Remark, Remarks

#: How many columns a line may have, as far as that can be had.
WIDTH = 100

_STEP = 2
#: What is nested more deeply is refused by the checker, and would only fill the page with blanks.
_FURTHEST = _STEP * DEEPEST_BLOCK


class _Frame:
    """A list of parts, how far its writing is, and in which way it is written."""

    __slots__ = ("at", "flat", "indent", "parts")

    def __init__(self, parts: list[Doc], indent: int, flat: bool) -> None:
        self.parts = parts
        self.at = 0
        self.indent = indent
        self.flat = flat


def written(doc: Doc) -> str:
    """The text of a page; it ends with a new line unless it is empty."""
    return _Printer().write(doc)


class _Printer:
    """Goes through a page with a stack of its own: a flow may be nested more deeply than Python
    likes to call."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._stack: list[_Frame] = []
        self._column = 0
        #: Nothing stands on the line yet.
        self._fresh = True
        #: The comment that is to end the line.
        self._beside = ""
        #: A comment has ended the line: what follows begins a new one.
        self._ended = False

    def write(self, doc: Doc) -> str:
        stack = self._stack
        stack.append(_Frame([doc], 0, False))
        while stack:
            frame = stack[-1]
            if frame.at == len(frame.parts):
                stack.pop()
                continue
            part = frame.parts[frame.at]
            frame.at += 1
            kind = type(part)
            if kind is str:
                self._text(part, frame.indent)  # type: ignore[arg-type]
            elif kind is list:
                stack.append(_Frame(part, frame.indent, frame.flat))  # type: ignore[arg-type]
            elif kind is Group:
                flat = not part.broken and self._fits(part.parts)  # type: ignore[union-attr]
                stack.append(_Frame(part.parts, frame.indent, flat))  # type: ignore[union-attr]
            elif kind is Indent:
                further = min(frame.indent + _STEP, _FURTHEST)
                stack.append(_Frame(part.parts, further, frame.flat))  # type: ignore[union-attr]
            else:
                self._other(part, frame)
        self._new(0)
        return "".join(self._out)

    def _other(self, part: Doc, frame: _Frame) -> None:
        match part:
            case Line():
                if part.flat is not None and frame.flat:
                    self._text(part.flat, frame.indent)
                else:
                    self._new(frame.indent, part.blank)
            case IfBroken():
                if not frame.flat:
                    self._out.append(part.text)
                    self._column += len(part.text)
            case Remark():
                self._beside = part.text
            case Remarks():
                self._remarks(part, frame.indent)

    def _remarks(self, remarks: Remarks, indent: int) -> None:
        for n, (blank, text) in enumerate(remarks.comments):
            if n or not self._fresh:
                self._new(indent, blank and n > 0)
            self._text(text, indent)
        self._ended = True
        if remarks.blank_after:
            self._new(indent, True)

    def _text(self, text: str, indent: int) -> None:
        if not text:
            return
        if self._ended or self._beside:
            self._new(indent)
        if self._fresh:
            if not (text := text.lstrip(" ")):
                return
            if indent:
                self._out.append(" " * indent)
            self._fresh = False
            self._column = indent
        self._out.append(text)
        newline = text.rfind("\n")
        self._column = self._column + len(text) if newline < 0 else len(text) - newline - 1

    def _new(self, indent: int, blank: bool = False) -> None:
        if self._beside:
            self._out.append(f" {self._beside}")
            self._beside = ""
        self._ended = False
        if not self._fresh:
            self._out[-1] = self._out[-1].rstrip(" ")
            self._out.append("\n\n" if blank else "\n")
        elif blank and self._out and not self._out[-1].endswith("\n\n"):
            self._out.append("\n")
        self._fresh = True
        self._column = indent

    def _fits(self, parts: list[Doc]) -> bool:
        """Whether these can stand on this line, and what follows them up to where it may end."""
        left = WIDTH - self._column
        flat = True
        frames = [_Frame(parts, 0, True)]
        outer = len(self._stack)
        while left >= 0:
            if not frames:
                if not outer:
                    return True
                outer -= 1
                around = self._stack[outer]
                flat = around.flat
                frames.append(_Frame(around.parts, 0, flat))
                frames[-1].at = around.at
            frame = frames[-1]
            if frame.at == len(frame.parts):
                frames.pop()
                continue
            part = frame.parts[frame.at]
            frame.at += 1
            match part:
                case str():
                    line, *more = part.split("\n")
                    left -= len(line)
                    if more and left >= 0:
                        # What comes next stands on the last line of a text of several.
                        left = WIDTH - len(more[-1])
                case list():
                    frames.append(_Frame(part, 0, flat))
                case Group() | Indent():
                    frames.append(_Frame(part.parts, 0, flat))
                case Line():
                    if part.flat is None or not flat:
                        return True
                    left -= len(part.flat)
                case IfBroken():
                    left -= 0 if flat else len(part.text)
                case Remark():
                    return True
                case Remarks():
                    # Above what is asked for they are written by now; in what follows they end
                    # the line.
                    if outer < len(self._stack):
                        return True
        return False
