"""What typing an expression knows and finds: the names in sight, the errors so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from dsl import syntax
from dsl.cel.narrowing import NOTHING, NamePath, Present, path_of, without
from dsl.cel.nodes import Const, Node
from dsl.cel.scope import Scope
from dsl.diagnostic import Diagnostic, Note
from dsl.source import Span
from dsl.suggestion import Suggestion, fix_of
from dsl.types import ANY, Optional, Type


class Result(NamedTuple):
    """A typed expression; its node is `BROKEN.node` when an error was reported in it."""

    node: Node
    type: Type

    @property
    def broken(self) -> bool:
        """Whether there is nothing more to say about it."""
        return self.node is _BROKEN_NODE


_BROKEN_NODE = Const(type=ANY)
BROKEN = Result(_BROKEN_NODE, ANY)

#: Types an expression. The type is a hint (for enum symbols and empty lists) unless `strict`,
#: when anything else is an error.
Infer = Callable[..., Result]


class Findings(msgspec.Struct):
    """The errors so far, and how deep the expression at hand is nested."""

    diagnostics: list[Diagnostic] = msgspec.field(default_factory=list)
    depth: int = 0


class Context(msgspec.Struct, frozen=True):
    """One place in an expression. `present` holds the paths known not to be null there."""

    scope: Scope
    infer: Infer
    findings: Findings
    present: Present = NOTHING
    locals: Mapping[str, Type] = msgspec.field(default_factory=dict)

    def knowing(self, more: Present) -> Context:
        """The same place, with more paths known not to be null."""
        return replace(self, present=self.present | more) if more else self

    def forgetting(self, path: NamePath | None) -> Context:
        """The same place, where it is not known whether a path is null."""
        return replace(self, present=self.present - {path}) if path in self.present else self

    def binding(self, name: str, type: Type) -> Context:
        """The body of a macro, where `name` is a variable."""
        known = without(self.present, name)
        return replace(self, present=known, locals={**self.locals, name: type})

    def variable(self, name: str) -> Type | None:
        """The type of a macro's variable or of the scope's."""
        return self.locals.get(name) or self.scope.variable(name)

    def names(self) -> list[str]:
        """Every variable in sight."""
        return [*self.locals, *self.scope.names()]

    def path(self, expr: syntax.Expr) -> NamePath | None:
        """The names of a dotted name that does not start at a variable."""
        path = path_of(expr)
        return path if path and self.variable(path[0]) is None else None

    def report(
        self,
        code: str,
        message: str,
        at: Span,
        label: str = "",
        help: str = "",
        also: tuple[Note, ...] = (),
    ) -> Result:
        """Adds an error; gives what stands for the expression it was found in."""
        fix = fix_of(at, help)
        self.findings.diagnostics.append(Diagnostic(code, message, at, label, help, also, fix=fix))
        return BROKEN

    def certain(self, expr: syntax.Expr, found: Result) -> Result:
        """The result itself, unless it may be null, which is an error here."""
        if not isinstance(found.type, Optional):
            return found
        return may_be_null(self, expr, found.type)


def may_be_null(context: Context, expr: syntax.Expr, type: Optional) -> Result:
    """Reports that an expression may be null where a value is needed."""
    text = expr.at.text
    named = path_of(expr) is not None
    test = f"has({text})" if isinstance(expr, syntax.Member) else f"{text} != null"
    return context.report(
        "F206",
        f"`{text}` may be null" if named else "this may be null",
        expr.at,
        f"of type `{type}`",
        f"test it first, as in `{test} ? {text} : …`" if named else "name it and test it first",
    )


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The help for a name that is not known."""
    near = closest(name, known)
    return Suggestion(name, near) if near else otherwise


def closest(name: str, known: Iterable[str]) -> str | None:
    """The most similar of the known names."""
    by_lower = {k.lower(): k for k in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None
