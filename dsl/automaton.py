"""The grammar's LALR table, run here: faster than lark's own, and able to look ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from dsl.lexer import END, Token
from dsl.table import Rule, Table

#: Makes a node from the values of a rule's symbols and the place they cover.
Action = Callable[[Any, list[Any], int, int], Any]


class Reduction(NamedTuple):
    """What to do when a rule is complete. Without an `action` its one value is passed on."""

    size: int
    origin: str
    action: Action | None


class Automaton:
    """The table: for each state, what each terminal leads to."""

    def __init__(self, table: Table, action_of: Callable[[Rule], Action | None]) -> None:
        moves: list[int | Reduction] = [*range(len(table.rows))]
        # A negative index counts from the end: rule n stands at -1-n.
        moves += [Reduction(r.size, r.origin, action_of(r)) for r in reversed(table.rules)]
        self.rows: dict[Any, dict[str, int | Reduction]] = {
            state: {name: moves[step] for name, step in row.items()}
            for state, row in enumerate(table.rows)
        }
        self.start = table.start
        self.end = table.end
        self.keywords = frozenset(t.name for t in table.terminals if t.fixed.isidentifier())


class Run:
    """One parse: the stacks, which grow with the tokens that are fed."""

    def __init__(self, automaton: Automaton, builder: Any) -> None:
        self._rows = automaton.rows
        self._keywords = automaton.keywords
        self._builder = builder
        self._final = automaton.end
        self.states = [automaton.start]
        self.values: list[Any] = []
        self.starts: list[int] = []
        self.ends: list[int] = []

    def feed(self, tokens: Sequence[Token], index: int) -> int:
        """Takes tokens from `index` on; gives the index of the first that cannot stand there, or
        the number of tokens when all could."""
        rows, keywords, builder = self._rows, self._keywords, self._builder
        states, values, starts, ends = self.states, self.values, self.starts, self.ends
        row = rows[states[-1]]
        count = len(tokens)
        while index < count:
            token = tokens[index]
            kind = token.type
            if kind in keywords and kind not in row:
                kind = "NAME"
            while True:
                move = row.get(kind)
                if move is None:
                    return index
                if type(move) is int:
                    states.append(move)
                    values.append(token)
                    starts.append(token.start)
                    ends.append(token.end)
                    row = rows[move]
                    break
                size, origin, action = move  # type: ignore[misc]
                if action is not None:
                    if size:
                        children = values[-size:]
                        start, end = starts[-size], ends[-1]
                        del states[-size:], values[-size:], starts[-size:], ends[-size:]
                    else:
                        children, start = [], token.start
                        end = start
                    values.append(action(builder, children, start, end))
                    starts.append(start)
                    ends.append(end)
                else:
                    states.pop()
                state = rows[states[-1]][origin]
                states.append(state)  # type: ignore[arg-type]
                if kind == END and state == self._final:
                    return count
                row = rows[state]
            index += 1
        return index

    def reach(self, kinds: Iterable[str], below: int | None = None) -> int:
        """How many tokens of these types could follow, were the stack cut to `below` states; the
        stacks stay as they are."""
        rows = self._rows
        left, above = len(self.states) if below is None else below, list[int]()
        taken = 0
        for kind in kinds:
            row = rows[above[-1] if above else self.states[left - 1]]
            if kind in self._keywords and kind not in row:
                kind = "NAME"
            while True:
                move = row.get(kind)
                if move is None:
                    return taken
                if isinstance(move, int):
                    above.append(move)
                    break
                size = move.size
                left -= max(0, size - len(above))
                del above[max(0, len(above) - size) :]
                state = rows[above[-1] if above else self.states[left - 1]][move.origin]
                above.append(state)  # type: ignore[arg-type]
                if kind == END and state == self._final:
                    return taken + 1
                row = rows[state]
            taken += 1
        return taken

    def accepted(self) -> set[str]:
        """The types of tokens that could stand next."""
        row = self._rows[self.states[-1]]
        return {k for k in row if (k.isupper() or k == END) and self.reach((k,))}

    def keywords(self) -> set[str]:
        """The words of the language that could stand next as such, and not only as names."""
        return {
            k
            for k in self.accepted() & self._keywords
            if not all(map(_names, self._rows[self._shifted(k)].values()))
        }

    def _shifted(self, kind: str) -> int:
        """The state after a token that can stand next."""
        states = list(self.states)
        while True:
            move = self._rows[states[-1]][kind]
            if isinstance(move, int):
                return move
            del states[len(states) - move.size :]
            states.append(self._rows[states[-1]][move.origin])  # type: ignore[arg-type]

    def cut(self, below: int) -> None:
        """Forgets what was begun above the lowest `below` states."""
        for stack, size in (
            *((s, below - 1) for s in (self.values, self.starts, self.ends)),
            (self.states, below),
        ):
            del stack[size:]


def _names(move: int | Reduction) -> bool:
    """Whether a word that leads to this move is no more than a name there."""
    if isinstance(move, int) or move.size != 1:
        return False
    return move.origin.startswith("_") or move.origin.endswith(("name", "variable"))


def gather(builder: Any, children: list[Any], start: int, end: int) -> list[Any]:
    """The action of a rule without a node of its own: it leaves all to the one that holds it. A
    repetition grows."""
    first = children[0]
    gathered: list[Any] = first if type(first) is list else [first]
    for child in children[1:]:
        if type(child) is list:
            gathered += child
        else:
            gathered.append(child)
    return gathered
