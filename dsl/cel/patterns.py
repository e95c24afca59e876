"""`matches`: Google's RE2, whose time is linear in the text whatever the pattern."""

from __future__ import annotations

from functools import lru_cache

import re2

from dsl.cel.errors import INVALID_ARGUMENT, CelError

# RE2 writes what it refuses to standard error, too, unless told not to.
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


@lru_cache(maxsize=512)
def compile_pattern(text: str) -> re2._Regexp[str]:
    """The compiled pattern. Raises CelError for a text that RE2 refuses."""
    try:
        return re2.compile(text, _OPTIONS)
    except re2.error as error:
        reason = error.args[0]
        shown = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise CelError(INVALID_ARGUMENT, f"the pattern is not RE2's: {shown}") from None


def search(text: str, pattern: str) -> bool:
    """Whether the pattern is found anywhere in the text. Raises CelError."""
    try:
        return compile_pattern(pattern).search(text) is not None
    except UnicodeEncodeError:
        raise CelError(INVALID_ARGUMENT, "the text holds half a character") from None
