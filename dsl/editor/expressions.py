"""What an expression may be made of, and what may follow a dot."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax
from dsl.cel.joining import plain
from dsl.cel.overloads import FUNCTIONS, MACROS, METHODS
from dsl.check.names import Symbol
from dsl.editor.cursor import Cursor
from dsl.editor.declared import Declared, find, inputs
from dsl.editor.place import OpenCall, header, open_call, path_before, receiver
from dsl.editor.proposals import Completion, modules, symbols
from dsl.editor.settings import FORMS, SETTINGS
from dsl.editor.wording import type_words
from dsl.editor.words import CALLS
from dsl.types import ListOf, MapOf, Named, OneOf, Type


def argument_names(cursor: Cursor) -> list[Completion] | None:
    """The arguments that a call still lacks; None where no name of one can stand."""
    call = open_call(cursor.left) if cursor.place.last in ("(", ",") else None
    owner = cursor.callee(call.callee) if call else None
    if call is None:
        return None
    if owner is None:
        return _form_arguments(cursor, call)
    return [
        Completion(
            part.name.text,
            "argument",
            part.type.at.text,
            getattr(part, "doc", ""),
            f"{part.name.text}: ",
            rank=0,
        )
        for part in inputs(owner.node)
        if part.name.text not in call.given
    ]


def _form_arguments(cursor: Cursor, call: OpenCall) -> list[Completion] | None:
    """The arguments that a form of a setting still lacks: `fixed(attempts: 3, ¦)`."""
    form = FORMS.get(call.callee[-1].text) if header(cursor.left) in SETTINGS else None
    if form is None:
        return None
    return [
        Completion(name, "argument", doc=doc, insert=f"{name}: ", rank=0)
        for name, doc in form.arguments.items()
        if name not in call.given
    ]


def expression(cursor: Cursor) -> Iterator[Completion]:
    """Values, functions, and what can be built."""
    call = open_call(cursor.left)
    owner = cursor.callee(call.callee) if call else None
    if call and owner and call.argument:
        yield from symbols_for(cursor, owner, call.argument)
    if header(cursor.left) in SETTINGS:
        yield from setting_values(cursor)
        return
    yield from variables(cursor)
    for name, overloads in FUNCTIONS.items():
        yield Completion(name, "function", str(overloads[0].result), CALLS.get(name, ""), rank=7)
    yield Completion("has", "function", "bool", CALLS["has"], rank=7)
    yield from symbols(cursor, syntax.RecordDecl, syntax.EnumDecl, syntax.ServiceDecl)


def symbols_for(cursor: Cursor, owner: Declared, argument: str) -> Iterator[Completion]:
    """The symbols of the enum that an argument is of."""
    home = cursor.modules.get(owner.qualified.partition(f".{owner.name}")[0])
    home = home or cursor.modules.get(owner.qualified.rpartition(".")[0].rpartition(".")[0])
    for part in inputs(owner.node):
        if part.name.text == argument and home:
            symbol = home.find(part.type.name.text)
            for s in getattr(symbol.declaration, "symbols", ()) if symbol else ():
                yield Completion(s.text, "symbol", part.type.at.text, rank=0)


def setting_values(cursor: Cursor) -> Iterator[Completion]:
    """What a setting may be."""
    settings = SETTINGS.get(header(cursor.left), {})
    name = cursor.place.before(1)
    if cursor.place.last != ":" or name not in settings:
        return
    if name == "policy":
        yield from symbols(cursor, syntax.PolicyDecl, rank=0)
    for value, doc in settings[name].values.items():
        kind, insert = ("function", f"{value}(") if value in FORMS else ("symbol", "")
        yield Completion(value, kind, name, doc, insert, rank=0)


def variables(cursor: Cursor) -> Iterator[Completion]:
    """The values that can be read, a macro's element first."""
    seen = cursor.seen()
    for name, type in (seen.locals if seen else {}).items():
        yield Completion(name, "variable", type_words(type, cursor.modules), rank=0)
    for name, variable in cursor.in_scope():
        yield Completion(name, "variable", type_words(variable.type, cursor.modules), rank=1)


def members(cursor: Cursor) -> Iterator[Completion]:
    """What may follow a dot."""
    if path := path_before(cursor.left, len(cursor.left) - 1):
        first = len(cursor.left) - 2 * len(path)
        if first > 0 and cursor.left[first - 1].text == "from":
            yield from modules(cursor, ".".join(t.text for t in path) + ".")
            return
        symbol = cursor.module.find(path[0].text) if len(path) == 1 else None
        if symbol and not cursor.is_variable(path[0].text):
            yield from of_symbol(cursor, symbol, cursor.left[first - 1].text if first else "")
            return
    part = receiver(cursor.left)
    if part is None:
        return
    yield from of_type(cursor, cursor.receiver_type(part))


def of_symbol(cursor: Cursor, symbol: Symbol, word: str) -> Iterator[Completion]:
    """The members of a service or an enum; `word` is what stands before it."""
    node = symbol.declaration
    for s in getattr(node, "symbols", ()):
        yield Completion(s.text, "symbol", node.name.text, rank=0)
    if not isinstance(node, syntax.ServiceDecl):
        return
    if word not in ("await", "emit", "on", "case", "replies", "fails", "|"):
        for c in node.commands:
            detail = " | ".join(r.text for r in c.replies)
            yield Completion(c.name.text, "command", f"→ {detail}", c.doc, rank=0)
    if word not in ("=", "undo"):
        for e in node.events:
            yield Completion(e.name.text, "event", "event", e.doc, rank=1)


def of_type(cursor: Cursor, type: Type | None) -> Iterator[Completion]:
    """The fields of a value, and the functions that may be called on it."""
    if type is None:
        return
    type, names = plain(type), tuple[str, ...]()
    if isinstance(type, Named | OneOf):
        names = (type.name,) if isinstance(type, Named) else type.names
    for name in names:
        found = find(name, cursor.modules)
        for f in inputs(found.node) if found else ():
            yield Completion(f.name.text, "field", f.type.at.text, f.doc, rank=0)
    if isinstance(type, ListOf | MapOf):
        for name in MACROS:
            yield Completion(name, "method", doc=CALLS.get(name, ""), insert=f"{name}(", rank=2)
    for name, overloads in METHODS.items():
        if any(_takes(o.parameters[0], type) for o in overloads):
            detail = str(overloads[0].result)
            yield Completion(name, "method", detail, CALLS.get(name, ""), f"{name}(", rank=3)


def _takes(wanted: Type, given: Type) -> bool:
    match wanted, given:
        case (ListOf(Named()), ListOf()) | (MapOf(Named()), MapOf()):
            return True
    return wanted == given
