"""What an editor shows about the name under the cursor: its declaration, its type, its doc."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from dsl import syntax
from dsl.docs import doc_above
from dsl.editor.analysis import Analysis
from dsl.editor.declared import Declared, find, inputs
from dsl.editor.settings import said_of
from dsl.editor.tokens import is_word, tokens_of
from dsl.editor.wording import policy_words, source_of, type_words
from dsl.editor.words import CALLS, WORDS
from dsl.source import Source, Span
from dsl.types import Named, OneOf, Optional


class Hover(NamedTuple):
    """A text in Markdown, and the place that it is about."""

    text: str
    at: Span


def hover(analysis: Analysis, offset: int) -> Hover | None:
    """What there is to say about a place of a file."""
    found = analysis.index.at(offset)
    if found:
        return Hover(describe(found.target, analysis), found.at)
    return _word(analysis.source, offset)


def _word(source: Source, offset: int) -> Hover | None:
    """What is to be said of a word that the language gives: a keyword, a setting, a function."""
    tokens = tokens_of(source.text)
    number = bisect_right(tokens, offset, key=lambda t: t.start) - 1
    # Right behind a word, and before the next sign.
    if number > 0 and not is_word(tokens[number]) and tokens[number - 1].end == offset:
        number -= 1
    if number < 0 or tokens[number].end < offset:
        return None
    token, left = tokens[number], tokens[:number]
    after = tokens[number + 1].text if number + 1 < len(tokens) else ""
    text = said_of(left, token.text, after)
    if not text and after == "(":
        text = CALLS.get(token.text, "")
    elif not text and after != ":" and (not left or left[-1].text != "."):
        text = WORDS.get(token.text, "")
    at = Span(source, token.start, token.end)
    return Hover(f"{_code(token.text)}\n\n{text}", at) if text else None


def describe(target: Declared, analysis: Analysis) -> str:
    """A declaration in Markdown."""
    parts = [_code(_head(target, analysis)), _doc(target)]
    if target.kind == "policy":
        parts.append(_policy(target, analysis))
    elif isinstance(target.node, syntax.Step):
        parts.append(_step(target, target.node, analysis))
    if target.type is not None:
        parts.append(_made_of(target, analysis))
    if target.qualified and target.type is None and target.kind not in ("module", "field"):
        owner = target.qualified.rpartition(".")[0]
        parts.append(f"from `{owner}`" if owner else "")
    elif target.kind == "field":
        parts.append(f"field of `{target.qualified.rpartition('.')[0]}`")
    return "\n\n".join(p for p in parts if p)


def _head(target: Declared, analysis: Analysis) -> str:
    if target.type is not None:
        word = target.kind if target.kind in ("step", "let", "var") else ""
        type = type_words(target.type, analysis.modules)
        return f"{word} {target.name}: {type}".strip()
    if target.kind == "module":
        return f"module {target.name}"
    if target.kind == "symbol":
        return f"{target.node.name.text}.{target.name}"
    if hasattr(target.node, "at"):
        return source_of(target)
    return target.name


def _doc(target: Declared) -> str:
    if target.kind == "module":
        _, column = target.at.source.position(target.at.start)
        return doc_above(target.at.source, target.at.start - column + 1)
    if target.kind == "symbol":
        return ""
    doc: str = getattr(target.node, "doc", "")
    return doc


def _policy(target: Declared, analysis: Analysis) -> str:
    module = analysis.program.modules.get(target.qualified.rpartition(".")[0])
    found = [p for p in module.policies if p.name == target.qualified] if module else []
    if not found:
        return ""
    return "\n".join(f"- `{name}`: {value}" for name, value in policy_words(found[0]))


def _step(target: Declared, node: syntax.Step, analysis: Analysis) -> str:
    call = f"calls `{node.call.callee.text}`"
    return call if node.undo is None else f"{call}, {_undo(node)}"


def _undo(node: syntax.Step) -> str:
    if isinstance(node.undo, syntax.Invocation):
        return f"undone by `{node.undo.callee.text}`"
    return "`undo none`" if isinstance(node.undo, syntax.UndoNone) else "undone by a block"


def _made_of(target: Declared, analysis: Analysis) -> str:
    """The fields of what a name holds."""
    type = target.type.of if isinstance(target.type, Optional) else target.type
    match type:
        case Named(name):
            names: tuple[str, ...] = (name,)
        case OneOf(names):
            pass
        case _:
            return ""
    lines = []
    for name in names:
        found = find(name, analysis.modules)
        fields = inputs(found.node) if found else ()
        lines += [f"- `{f.name.text}: {f.type.at.text}`" for f in fields]
    return "\n".join(dict.fromkeys(lines))


def _code(text: str) -> str:
    return f"```flow\n{text}\n```"
