"""Goes on after a syntax error, so that every mistake of a file is reported, each once.

One token is inserted, replaced or left out when what follows then fits; else everything up to the
next declaration, statement or end of the block is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dsl.automaton import Run
from dsl.lexer import END, MALFORMED, STRAY, UNCLOSED, Token
from dsl.suggestion import alike
from dsl.syntax_error import OPERATORS

#: After so many the rest would hardly be read.
MOST_ERRORS = 100

#: How many tokens must fit after a repair, and how many are tried.
_ENOUGH, _AHEAD = 3, 8

_STAND_INS = {UNCLOSED: ("STRING", '""'), MALFORMED: ("INT", "0")}
#: Words that begin a declaration or a statement.
_OPENING = frozenset(
    (
        *("TYPE", "ENUM", "RECORD", "POLICY", "SERVICE", "COMMAND", "EVENT", "SAGA", "FROM"),
        *("STEP", "LET", "IF", "PARALLEL", "BRANCH", "AWAIT", "EMIT", "FAIL", "RETURN", "PIVOT"),
        *("VAR", "SET", "MATCH", "CASE", "WHILE", "FOR", "YIELD", "TRY", "RACE", "SLEEP"),
        *("SCENARIO", "GIVEN", "RUN", "EXPECT"),
        *("SIGNAL", "QUERY", "UPDATE", "AGGREGATE", "PROJECTION"),
    )
)
#: Those of them that stand in no block.
_DECLARING = frozenset(
    (
        *("TYPE", "ENUM", "RECORD", "POLICY", "SERVICE", "SAGA", "AGGREGATE", "PROJECTION"),
        *("ACTIVITY", "SCENARIO"),
    )
)
#: What is never put in: it would change to what the following belongs, or invent a value.
_NEVER_INSERTED = _OPENING | {
    *("MODULE", "IMPORT", "ELSE", "UNDO", "ON", "RBRACE", END),
    *("INT", "FLOAT", "STRING", "BYTES", "DURATION", "PERCENT", "COMPARISON"),
}

#: Clauses behind what a command holds.
_ANSWERS = ("REPLIES", "FAILS")

#: Signs that other languages have between things, and that are best left out.
_IDLE = (",", ";")


class _Repair(NamedTuple):
    """Tokens to put in the place of `taken` ones, and how many of the following then fit; `likely`
    where what was written looks like what is put."""

    fits: int
    put: list[Token]
    taken: int
    likely: bool = False

    @property
    def worth(self) -> int:
        """What tells the better of two."""
        return self.fits + self.likely


class _Slip(NamedTuple):
    """A keyword that was misspelt; `fits` when what follows goes on as after the right one."""

    kind: str
    fits: bool


class Recovery:
    """Drives a run over the tokens of a text; `report` is told the token of each mistake, the
    one before it, what has to be done before it, and the keyword that it was meant to be, when
    those are known."""

    def __init__(
        self,
        run: Run,
        tokens: list[Token],
        text: str,
        words: Mapping[str, str],
        report: Callable[[Token, Token | None, str, str], None],
    ) -> None:
        self._run = run
        self._tokens = tokens
        self._text = text
        self._words = words
        self._report = report
        self._synced = -1
        self._owed = 0
        self._sure = False  # the last mistake was no doubt a slip
        self._made_up = False  # a name that stands for one that is missing

    def go_on(self, index: int) -> bool:
        """Goes on from a token that cannot stand where it does, to the end as far as that goes;
        whether every mistake was mended, with nothing skipped and no name made up."""
        mended, whole = -_ENOUGH, True
        for _ in range(MOST_ERRORS):
            token = self._tokens[index]
            if token.type == "RBRACE" and self._owed:
                # It closes a block that was given up.
                self._owed -= 1
                after: int | None = index + 1
            elif index > mended and (slip := self._slip(index)):
                self._report_slip(index, slip)
                self._sure = True
                after = self._retake(index, slip)
                whole = whole and slip.fits
            else:
                todo = self._unfinished(index)
                # What comes soon after a mend is likely to come of it, unless that is beyond doubt.
                soon = index - mended < _ENOUGH and not self._sure
                far = index > mended and (not soon or self._begins_line(index))
                if far or token.type in _STAND_INS:
                    at = index - bool(todo)
                    self._report(self._tokens[at], self._tokens[at - 1] if at else None, todo, "")
                if token.type == END:
                    return False
                self._sure = False
                mends = index > mended and not todo and self._repair(index)
                after = index if mends else self._skip(index)
                whole = whole and mends
            if after is None:
                return False
            mended = after
            index = self._run.feed(self._tokens, after)
            if index == len(self._tokens):
                return whole and not self._made_up
        return False

    def _unfinished(self, index: int) -> str:
        """What has to be done when the word before the mistake was taken for a name, but begins a
        declaration or a statement: what stands before it is not complete."""
        if not index or not self._begins_line(index - 1):
            return ""
        kind, levels = self._tokens[index - 1].type, self._levels()
        if len(levels) == 1 or kind not in _OPENING:
            return ""
        begun = [t.type for t in self._tokens[index - 1 : index + 2]]
        if self._run.reach(begun, levels[-1]) == len(begun):
            return "complete what stands before it"
        if kind in _DECLARING and self._run.reach(begun, levels[0]) == len(begun):
            return "close the block before it with `}`"
        return ""

    # --- a word that was taken for a name

    def _slip(self, index: int) -> _Slip | None:
        """The keyword that the word before the mistake was meant to be."""
        word = self._tokens[index - 1] if index else None
        # By now it may be a name, or a path of one name, but nothing longer.
        alone = word and (self._run.starts[-1], self._run.ends[-1]) == (word.start, word.end)
        if word is None or word.type != "NAME" or not alone:
            return None
        alike = [k for k, text in self._words.items() if text.isalpha() and _alike(text, word.text)]
        if not alike:
            return None
        below = len(self._run.states) - 1
        line = next(n for n in range(1, _ENOUGH) if n + 1 == _ENOUGH or self._ends(index + n))
        ahead = [t.type for t in self._tokens[index : index + line]]
        for kind in alike:
            if self._run.reach((kind, *ahead), below) > len(ahead):
                return _Slip(kind, fits=True)
        # What a clause would belong to was closed when the word seemed to begin the next thing.
        if self._run.accepted() == {"COLON"}:
            answers = self._run.reach(("COMMAND", "NAME", "KEY"), below) == 3
            colon = self._run.reach(("COLON", *ahead)) > len(ahead)
            for kind in alike:
                if kind in _ANSWERS if answers else kind == "WHERE" and not colon:
                    return _Slip(kind, fits=False)
        return None

    def _report_slip(self, index: int, slip: _Slip) -> None:
        before = self._tokens[index - 2] if index > 1 else None
        self._report(self._tokens[index - 1], before, "", slip.kind)

    def _retake(self, index: int, slip: _Slip) -> int:
        """Goes back to before the word, to take it for what was meant, or to leave out the clause
        that it begins; gives the index to go on from."""
        self._run.cut(len(self._run.states) - 1)
        if slip.fits:
            word = self._tokens[index - 1]
            meant = Token(slip.kind, self._words[slip.kind], word.start, word.end)
            self._tokens[index - 1] = meant
            return index - 1
        while not self._ends(index):
            index += 1
        return index

    def _ends(self, place: int) -> bool:
        """Whether a clause that was begun before has ended here."""
        token = self._tokens[min(place, len(self._tokens) - 1)]
        if self._begins_line(place) or token.type in _OPENING or token.type in ("RBRACE", END):
            return True
        return token.type == "NAME" and any(_alike(self._words[k], token.text) for k in _ANSWERS)

    # --- small repairs

    def _repair(self, index: int) -> bool:
        """Mends the tokens at a mistake, when most of what follows then fits."""
        best = max(self._repairs(index), key=lambda r: r.worth)
        stop = index + best.taken + best.fits
        # What begins a line may well be the next mistake.
        sign = not best.put and self._tokens[index].text in _IDLE
        enough = _ENOUGH - self._begins_line(stop) * (2 if sign else 1)
        if best.worth < min(enough, len(self._tokens) - index - best.taken):
            return False
        self._tokens[index : index + best.taken] = best.put
        self._sure = best.likely
        self._made_up |= any(self._is_name(t) for t in best.put)
        return True

    def _is_name(self, put: Token) -> bool:
        """Whether a token that is put in is a name: a word that is no more here."""
        word = put.type == "NAME" or put.text.isalpha()
        return word and put.type not in self._run.keywords()

    def _repairs(self, index: int) -> Iterator[_Repair]:
        token = self._tokens[index]
        # What follows may be wrong in itself, and is not to count against this repair.
        kinds = [t.type for t in self._tokens[index + 1 : index + _AHEAD] if t.type != STRAY]
        ahead = [token.type, *(_STAND_INS[k][0] if k in _STAND_INS else k for k in kinds)]
        here = token.start
        if token.type in _STAND_INS:
            kind, text = _STAND_INS[token.type]
            stand_in = Token(kind, text, here, token.end)
            yield _Repair(self._fits([kind], ahead[1:]), [stand_in], 1)
        accepted = self._run.accepted()
        kind, text = OPERATORS.get(token.text, ("", ""))
        if kind in accepted:
            meant = Token(kind, text, here, token.end)
            yield _Repair(self._fits([kind], ahead[1:]), [meant], 1, likely=True)
        # Where a name can stand, a keyword that may be one does not stand better.
        for kind in sorted(accepted, key=lambda k: (k != "NAME", k)):
            text = self._words.get(kind, "_")
            if token.type == "NAME" and text.isalpha() and _alike(text, token.text):
                keyword = Token(kind, text, here, token.end)
                yield _Repair(self._fits([kind], ahead[1:]), [keyword], 1, likely=True)
            if kind not in _NEVER_INSERTED:
                inserted = Token(kind, text, here, here)
                yield _Repair(self._fits([kind], ahead), [inserted], 0)
        yield _Repair(self._fits([], ahead[1:]), [], 1)

    def _fits(self, put: Sequence[str], ahead: Sequence[str]) -> int:
        return self._run.reach((*put, *ahead)) - len(put)

    # --- skipping

    def _skip(self, index: int) -> int | None:
        """Forgets what was begun and leaves out tokens up to one that can begin anew or ends the
        block; gives its index."""
        tokens, levels = self._tokens, self._levels()
        # The word before the mistake may have been meant to begin something.
        first = index - 1 if index and tokens[index - 1].type in _OPENING else index
        depth = 0
        for place in range(max(first, self._synced + 1), len(tokens)):
            kind = tokens[place].type
            if kind == "LBRACE":
                depth += 1
            elif kind == "RBRACE" and depth:
                depth -= 1
            elif kind == "RBRACE" and len(levels) > 1:
                if self._resume(place, levels[-1:], 1):
                    return place
            elif kind in _OPENING and not depth and self._begins(place, levels):
                return place
        return None

    def _levels(self) -> list[int]:
        """How many states to keep in order to go on in the file, and in each open block."""
        values = self._run.values
        outer = next((n for n, v in enumerate(values) if type(v) is Token), len(values))
        levels = [outer + 1]
        for n, value in enumerate(values):
            if type(value) is Token and value.type == "LBRACE":
                begun = n + 1 < len(values) and type(values[n + 1]) is list
                levels.append(n + 2 + begun)
        return levels

    def _resume(self, place: int, levels: Sequence[int], enough: int) -> bool:
        """Goes back to the innermost level where the tokens at `place` can stand."""
        ahead = [t.type for t in self._tokens[place : place + enough]]
        for given_up, below in enumerate(reversed(levels)):
            if self._run.reach(ahead, below) == len(ahead):
                self._run.cut(below)
                self._owed += given_up
                self._synced = place
                return True
        return False

    def _begins(self, place: int, levels: Sequence[int]) -> bool:
        """Goes back to where a statement or a declaration can begin, when a word stands where one
        is written: first in its line, or after a brace."""
        after_brace = self._tokens[place - 1].type in ("LBRACE", "RBRACE")
        return (after_brace or self._begins_line(place)) and self._resume(place, levels, 2)

    def _begins_line(self, place: int) -> bool:
        if not 0 < place < len(self._tokens):
            return True
        return "\n" in self._text[self._tokens[place - 1].end : self._tokens[place].start]


def _alike(a: str, b: str) -> bool:
    return alike(a, b, 0.7)
