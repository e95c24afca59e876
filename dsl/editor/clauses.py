"""What a clause wants, by the words before the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from dsl import syntax
from dsl.cel.joining import plain
from dsl.editor.cursor import Cursor
from dsl.editor.declared import answers, find
from dsl.editor.place import around, header, path_before
from dsl.editor.proposals import (
    Completion,
    awaited,
    callees,
    commands,
    events,
    fields,
    imports,
    modules,
    own_events,
    signals,
    symbols,
    types,
)
from dsl.editor.settings import DELIVERY, SETTINGS
from dsl.editor.tokens import is_word
from dsl.editor.wording import type_words
from dsl.editor.words import WORDS
from dsl.lexer import Token
from dsl.types import Named, OneOf


def _policies(cursor: Cursor) -> Iterable[Completion]:
    return symbols(cursor, syntax.PolicyDecl)


def _sagas(cursor: Cursor) -> Iterable[Completion]:
    return symbols(cursor, syntax.SagaDecl)


def _undoing(cursor: Cursor) -> Iterable[Completion]:
    return (*commands(cursor), *symbols(cursor, syntax.ActivityDecl))


def _messages(cursor: Cursor) -> Iterable[Completion]:
    return (*callees(cursor), *events(cursor))


def _answering(cursor: Cursor) -> Iterable[Completion]:
    return (*signals(cursor), *_messages(cursor))


def named(cursor: Cursor) -> Iterable[Completion] | None:
    """What a clause wants, when the word before the cursor says which one it is."""
    if found := importing(cursor):
        return imports(cursor, *found)
    if "NAME" not in cursor.expected.tokens:
        return None
    word = cursor.place.last
    if "INT" not in cursor.expected.tokens:
        # `step x =`, `type T =`: the word is two further back.
        what = _AFTER.get(f"{cursor.place.before(2)} =" if word == "=" else word)
        if what:
            return what(cursor)
    return settings(cursor) if word == "{" and header(cursor.left) in SETTINGS else None


def by_neighbour(cursor: Cursor) -> Iterable[Completion]:
    """Names where no expression can stand: types, settings."""
    if cursor.place.last in (":", "->", "<") or in_type_arguments(cursor):
        return types(cursor)
    return settings(cursor)


def in_type_arguments(cursor: Cursor) -> bool:
    return cursor.place.last == "," and any(
        cursor.left[n].text == "<" and cursor.left[n - 1].text in ("map", "list")
        for n in range(max(1, len(cursor.left) - 4), len(cursor.left))
    )


def importing(cursor: Cursor) -> tuple[str, set[str]] | None:
    """The module of the import that the cursor is among the names of, and those already there."""
    left, n = cursor.left, len(cursor.left) - 1
    if cursor.place.last not in (",", "import"):
        return None
    while n > 0 and left[n].text != "import" and (left[n].text == "," or is_word(left[n])):
        n -= 1
    if n < 1 or left[n].text != "import":
        return None
    path = path_before(left, n)
    return ".".join(t.text for t in path), {t.text for t in left[n + 1 :]}


def settings(cursor: Cursor) -> Iterable[Completion]:
    """The settings of a policy or a service."""
    for name, setting in SETTINGS.get(header(cursor.left), {}).items():
        yield Completion(name, "property", doc=setting.doc, insert=f"{name}: ")


def deliveries(cursor: Cursor) -> Iterator[Completion]:
    """How often a message may reach who it is for."""
    for name, doc in DELIVERY.items():
        yield Completion(name, "symbol", "delivery", doc, rank=0)


def answered(cursor: Cursor) -> Iterator[Completion]:
    """What a command may be said to answer; in a scenario what it declares."""
    if not cursor.scenario():
        yield from own_events(cursor)
        return
    for answer in cursor.given_answers(cursor.place.last):
        yield Completion(answer.name, "event", "answer", answer.node.doc, rank=0)


def variables_to_set(cursor: Cursor) -> Iterator[Completion]:
    """The names that `set` may be followed by."""
    for name, variable in cursor.in_scope():
        if variable.variable:
            yield Completion(name, "variable", type_words(variable.type, cursor.modules), rank=0)


def on(cursor: Cursor) -> Iterator[Completion]:
    """What may be handled, or what may come."""
    started = cursor.place.before(1) in ("starts", "run")
    if started or header(cursor.left) in ("race", "aggregate", "projection"):
        yield from awaited(cursor)
        return
    for word, called in handled(cursor):
        commands = [c for c in map(cursor.callee, called) if c]
        for failure in (f for c in commands for f in answers(c, cursor.modules, "fails")):
            yield Completion(failure.name, "event", "failure", failure.node.doc, rank=0)
        sagas = [path for path in called if _saga(path, cursor)]
        outcomes = ["failed"] if sagas else []
        if not sagas or word == "try":  # a saga has no attempts
            outcomes += ["timeout"] if word == "await" else ["timeout", "exhausted"]
        for outcome in outcomes:
            yield Completion(outcome, "keyword", doc=WORDS[outcome], rank=1)


def _saga(path: list[Token], cursor: Cursor) -> bool:
    """Whether a saga is called."""
    symbol = cursor.module.find(path[0].text) if len(path) == 1 else None
    return symbol is not None and isinstance(symbol.declaration, syntax.SagaDecl)


def handled(cursor: Cursor) -> Iterator[tuple[str, list[list[Token]]]]:
    """The statement that a handler at the cursor belongs to, and what it calls."""
    for n in around(cursor.left[:-1]):
        word = cursor.left[n].text
        if word == "{":
            return
        if word in ("step", "await", "try"):
            yield word, list(_calls(cursor.left[n:]))
            return


def cases(cursor: Cursor) -> Iterator[Completion]:
    """What the value may be that is matched."""
    opening = next((n for n in around(cursor.left) if cursor.left[n].text == "{"), None)
    if opening is None:
        return
    start = next((n for n in around(cursor.left[:opening]) if cursor.left[n].text == "match"), None)
    if start is None or start + 1 >= opening:
        return
    text = cursor.text(cursor.left[start + 1].start, cursor.left[opening - 1].end)
    type = cursor.type_of(text)
    match plain(type) if type else None:
        case OneOf(names):
            for name in names:
                yield Completion(name.rpartition(".")[2], "event", "reply", rank=0)
        case Named(name):
            found = find(name, cursor.modules)
            for symbol in getattr(found.node, "symbols", ()) if found else ():
                yield Completion(symbol.text, "symbol", name, rank=0)


def _calls(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The callees of all steps among tokens."""
    for n, token in enumerate(tokens[:-3]):
        if token.text == "step" and tokens[n + 2].text == "=":
            end = n + 4
            while end + 1 < len(tokens) and tokens[end].text == ".":
                end += 2
            yield path_before(tokens, end)


#: What follows a word that wants a name.
_AFTER: dict[str, Callable[[Cursor], Iterable[Completion]]] = {
    "from": modules,
    "extends": _policies,
    "with": _policies,
    "await": awaited,
    "emit": events,
    "undo": _undoing,
    "run": _sagas,
    "given": _answering,
    "expect": _messages,
    "no": _messages,
    "case": cases,
    "set": variables_to_set,
    "replies": answered,
    "fails": answered,
    "|": own_events,
    "step =": callees,
    "type =": types,
    "delivery": deliveries,
    "key": fields,
    "sequence": fields,
    "version": fields,
    "on": on,
}
