"""Doc comments: the lines directly above, and nothing else."""

from __future__ import annotations

import pytest

from dsl.docs import doc_above
from dsl.source import Source


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/// One.\nX", "One."),
        ("/// One.\n/// Two.\nX", "One.\nTwo."),
        ("/// One.\r\n  ///   Two.  \r\n  X", "One.\nTwo."),
        ("/// Far.\n\nX", ""),
        ("/// Far.\n// near\nX", ""),
        ("// No doc.\nX", ""),
        ("/// One.\na X", ""),
        ("///\nX", ""),
        ("X", ""),
        ("", ""),
    ],
)
def test_the_doc_above(text: str, wanted: str) -> None:
    assert doc_above(Source("f", text), max(text.find("X"), 0)) == wanted
