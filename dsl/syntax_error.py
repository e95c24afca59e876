"""Says in one sentence what a parser's refusal means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from dsl.diagnostic import Diagnostic, Edit
from dsl.lexer import END, MALFORMED, STRAY, UNCLOSED, Token
from dsl.source import Source, Span
from dsl.suggestion import Suggestion, fix_of

_DECLARATIONS = (
    *("type", "enum", "record", "policy", "service", "saga", "aggregate", "projection"),
    "scenario",
)
_COMMENTS = "a comment begins with `//`"
_SEPARATORS = "remove it: a blank or a new line is enough"
#: CEL's unsigned ints, `1u`.
_UNSIGNED = re.compile(r"(?:0[xX][0-9a-fA-F]+|[0-9]+)[uU]")
_STATEMENTS = (
    *("step", "let", "var", "set", "if", "match", "while", "for", "parallel", "race", "await"),
    *("sleep", "try", "emit", "fail", "return"),
)

#: Words that are names nearly everywhere, but begin a clause where it could follow.
_CLAUSES = {
    "WHERE": "begins a constraint",
    "REPLIES": "begins a command's answers",
    "FAILS": "begins a command's failures",
}

#: What other languages write for an operator: its terminal, and how it is written here.
OPERATORS = {"=": ("COMPARISON", "=="), "and": ("AND", "&&"), "or": ("OR", "||")}


#: What other languages call a thing, and what it is called here.
_ELSEWHERE = {
    "fail": ("throw", "raise", "abort"),
    "on": ("catch", "except", "rescue"),
    "else if": ("elif", "elsif", "elseif"),
    "let": ("const", "val"),
    "match": ("switch",),
    "step": ("call", "invoke", "task"),
    "sleep": ("delay", "pause"),
    "emit": ("publish", "send"),
    "saga": ("workflow", "process", "function", "def"),
    "record": ("struct", "class", "message", "interface"),
    "none": ("null", "nothing"),
}
_HERE = {word: here for here, words in _ELSEWHERE.items() for word in words}

#: What stands elsewhere in a file.
_MISPLACED = {
    "from": "imports stand before the declarations",
    "import": "write `from module import Name`, before the declarations",
    "module": "it stands once, before all else",
    "command": "it stands in a `service`",
    "event": "it stands in a `service`",
    "signal": "it stands in a `saga`",
    "query": "it stands in a `saga`",
    "update": "it stands in a `saga`",
}


def explain(
    source: Source,
    token: Token,
    before: Token | None,
    accepted: set[str],
    words: Mapping[str, str],
    whole: str = "file",
) -> Diagnostic:
    """A word or sign that cannot stand where it stands, after `before`; `accepted` are the
    terminals that could, `words` spells them; `whole` is what the text is one of."""
    expected = {words.get(name, name) for name in accepted}
    if token.type == END:
        at = Span(source, before.start, before.end) if before else Span(source, 0, 0)
        help = "close what is open with `}`" if "}" in expected else _help("", expected)
        return Diagnostic("F001", f"the {whole} ends too early", at, "nothing follows", help)
    if token.type in (UNCLOSED, MALFORMED, STRAY):
        return explain_character(source, token.start)
    if token.type == "COLON" and before and before.type in _CLAUSES:
        at = Span(source, before.start, before.end)
        message = f"`{before.text}` is no name here"
        return Diagnostic("F001", message, at, _CLAUSES[before.type], "take another name")
    found = token.text
    at = Span(source, token.start, token.end)
    line = found.splitlines()[0]
    shown = line if line == found and len(line) <= 40 else line[:37] + "…"
    operator = OPERATORS.get(found)
    if found == "=" and "COLON" in accepted:  # behind the name of an argument
        operator = ("COLON", ":")
    fix: tuple[Edit, ...]
    # A word behind a condition has the parser expect its block already.
    if operator and (operator[0] in accepted or (found != "=" and "{" in expected)):
        help = Suggestion(found, operator[1])
        fix = (Edit(at, operator[1]),)
    else:
        help = _help(found, expected)
        fix = (Edit(at, ""),) if found == "," else fix_of(at, help)
    return Diagnostic("F001", f"unexpected `{shown}`", at, "cannot stand here", help, fix=fix)


def explain_character(source: Source, offset: int) -> Diagnostic:
    """A character that begins no word or sign."""
    at = Span(source, offset, offset + 1)
    character = source.text[offset : offset + 1]
    if character and character in "\"'":
        line_end = source.text.find("\n", offset)
        at = Span(source, offset, line_end if line_end >= 0 else len(source.text))
        quotes = character * 3 if at.text.startswith(character * 3) else character
        help = f"close it with `{quotes}`"
        return Diagnostic("F002", "this string has no end", at, "starts here", help)
    if character.isdigit():
        end = offset
        while end < len(source.text) and (source.text[end].isalnum() or source.text[end] in "._"):
            end += 1
        at = Span(source, offset, end)
        help = "units are ns, us, ms, s, m, h, d, as in `1m30s`"
        fix: tuple[Edit, ...] = ()
        if _UNSIGNED.fullmatch(at.text):
            help = f"there is no unsigned int here: write `{at.text[:-1]}`"
            fix = (Edit(at, at.text[:-1]),)
        message = f"`{at.text}` is not a number"
        return Diagnostic("F001", message, at, "cannot be read", help, fix=fix)
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    help = {";": _SEPARATORS, "#": _COMMENTS}.get(character, "remove it")
    fix = (Edit(at, ""),) if character == ";" else ()
    return Diagnostic("F001", f"unexpected `{shown}`", at, "cannot stand here", help, fix=fix)


def _help(found: str, expected: set[str]) -> str:
    if found == ",":
        return _SEPARATORS
    if found == ":" and "->" in expected:
        return Suggestion(found, "->", "a result is written `-> Type`")
    if found in _HERE and _HERE[found].split()[0] in expected:
        return Suggestion(found, _HERE[found])
    if found in _MISPLACED and set(_DECLARATIONS) <= expected:
        return _MISPLACED[found]
    if found == "/" and "|" not in expected and set(_STATEMENTS) & expected:
        return _COMMENTS
    words = [w for w in expected if w.isalpha() and w.islower()]
    if close := get_close_matches(found, words, 1):
        return Suggestion(found, close[0])
    signs = sorted(w for w in expected if not w.isalnum() and "_" not in w)
    if {"NAME", "INT"} <= expected:
        return "a value is expected"
    if "NAME" in expected:
        return "a name is expected" + (f", or `{signs[0]}`" if len(signs) == 1 else "")
    if set(_STATEMENTS) <= expected:
        return "a statement is expected: " + ", ".join(f"`{w}`" for w in _STATEMENTS) + ", or `}`"
    if set(_DECLARATIONS) <= expected:
        return "a declaration is expected: " + ", ".join(f"`{w}`" for w in _DECLARATIONS)
    if 0 < len(expected) <= 5:
        return "expected " + " or ".join(f"`{w}`" for w in sorted(expected))
    return ""
