"""Which paths a condition shows not to be null."""

from __future__ import annotations

import pytest

from dsl.cel.narrowing import narrowed

CASES = [
    ("has(a.b)", "a.b", ""),
    ("has(a.b.c)", "a.b.c", ""),
    ("has(f(x).b)", "", ""),
    ("a != null", "a", ""),
    ("null != a.b", "a.b", ""),
    ("a == null", "", "a"),
    ("a == b", "", ""),
    ("a[0] != null", "", ""),
    ("!has(a.b)", "", "a.b"),
    ("!(a == null)", "a", ""),
    ("a != null && has(b.c)", "a b.c", ""),
    ("a != null || has(b.c)", "", ""),
    ("a == null || b == null", "", "a b"),
    ("a == null && b == null", "", ""),
    ("a != null && x || a != null && y", "a", ""),
    ("!(a == null || !has(b.c))", "a b.c", ""),
    ("x ? a != null : b != null", "", ""),
    ("true", "", ""),
]


@pytest.mark.parametrize(("text", "when_true", "when_false"), CASES)
def test_narrowed(tree, text, when_true, when_false):
    for holds, paths in ((True, when_true), (False, when_false)):
        expected = frozenset(tuple(p.split(".")) for p in paths.split())
        assert narrowed(tree(text), holds) == expected
