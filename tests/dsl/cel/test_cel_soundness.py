"""What passes the checker gives a value of its type, or a CEL error; nothing else, ever."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from cel_shop import VALUES, type_of
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import types
from dsl.cel.errors import CelError
from dsl.cel.evaluate import compile_node
from dsl.types import Scalar
from dsl.values import Struct

_KINDS = {
    Scalar.STRING: str,
    Scalar.INT: int,
    Scalar.FLOAT: float,
    Scalar.BOOL: bool,
    Scalar.DECIMAL: Decimal,
    Scalar.BYTES: bytes,
    Scalar.UUID: UUID,
    Scalar.DATE: date,
    Scalar.TIMESTAMP: datetime,
    Scalar.DURATION: timedelta,
    Scalar.NULL: type(None),
}


def fits(value, of):
    match of:
        case types.Optional(inner):
            return value is None or fits(value, inner)
        case types.ListOf(item):
            return type(value) is list and all(fits(v, item) for v in value)
        case types.MapOf(key, item):
            return isinstance(value, dict) and all(
                fits(k, key) and fits(v, item) for k, v in value.items()
            )
        case types.Named(name):
            return value.type == name if isinstance(value, Struct) else type(value) is str
        case types.OneOf(names):
            return value.type in names
        case Scalar.ANY:
            return True
    return type(value) is _KINDS[of]


#: Texts by the type they have; a hole in braces takes a text of that type.
_TEMPLATES = {
    "int": (
        *("n", "1", "0", "-2", "9223372036854775807", "order.lines[0].quantity"),
        *("{int} + {int}", "{int} - {int}", "{int} * {int}", "{int} / {int}", "{int} % {int}"),
        *("-{int}", "size({string})", "{strings}.size()", "int({decimal})", "int({float})"),
        *("int({string})", "int({timestamp})", "{ints}.sum()", "{ints}.max()", "{ints}[{int}]"),
        *("{timestamp}.getMonth()", "{timestamp}.getHours({string})", "{duration}.getMinutes()"),
        *("count != null ? count : {int}", "{bool} ? {int} : {int}", "dyn({float}) + {int}"),
    ),
    "float": (
        *("f", "1.5", "0.0", "{float} + {float}", "{float} / {float}", "{float} * {float}"),
        *("double({int})", "double({string})", "double({decimal})", "-{float}"),
    ),
    "decimal": (
        *("d", "5%", 'decimal("0.1")', "{decimal} + {decimal}", "{decimal} * {decimal}"),
        *("{decimal} / {decimal}", "decimal({int})", "decimal({string})", "prices[{string}]"),
        *("order.lines.map(x, x.price * {decimal}).sum()", "prices.map(x, prices[x]).min()"),
    ),
    "string": (
        *("s", '"a"', '"9"', '"UTC"', '""', "order.customer_id", "{string} + {string}"),
        *("string({int})", "string({float})", "string({decimal})", "string({timestamp})"),
        *("string({duration})", "string(currency)", "string({bool})", "{strings}[{int}]"),
        *("has(order.note) ? order.note : {string}", "{bool} ? {string} : {string}"),
        *('note == null ? {string} : note + "x"', "any.k[2] + {string}", "string(bytes({string}))"),
    ),
    "bool": (
        *("flag", "true", "false", "{int} < {int}", "{float} >= {float}", "{decimal} == {decimal}"),
        *("{string} > {string}", "{timestamp} < {timestamp}", "{duration} == {duration}"),
        *("{bool} && {bool}", "{bool} || {bool}", "!{bool}", "{int} in {ints}", "note == {string}"),
        *("{string} in {strings}", "{string} in prices", "{ints} == {ints}", "currency == EUR"),
        *("{strings}.all(x, x < {string})", "{ints}.exists(x, x / {int} == 1)", "has(notes.b)"),
        *("{ints}.exists_one(x, {bool})", "note != null && note.size() > {int}", "bool({string})"),
        *("{string}.startsWith({string})", "{string}.matches({string})", "dyn({int}) == {float}"),
    ),
    "timestamp": (
        *("t", "now()", "{timestamp} + {duration}", "{timestamp} - {duration}", "timestamp(day)"),
        *("timestamp({int})", "timestamp({string})", "{bool} ? {timestamp} : {timestamp}"),
    ),
    "duration": (
        *("span", "10s", "{duration} + {duration}", "{duration} - {duration}", "-{duration}"),
        *("{timestamp} - {timestamp}", "duration({string})", "[{duration}, {duration}].sum()"),
    ),
    "ints": (
        *(
            "[]",
            "[1, 2, 0]",
            "[{int}]",
            "[{int}, {int}]",
            "{ints} + {ints}",
            "{ints}.map(x, x + n)",
        ),
        *("{ints}.filter(x, x > {int})", "{strings}.map(x, size(x))", "{ints}.map(x, {bool}, x)"),
        *("order.lines.map(x, x.quantity)", "{bool} ? {ints} : {ints}"),
    ),
    "strings": (
        *("tags", "[{string}, {string}]", "prices.map(x, x)", "notes.filter(x, {bool})"),
        *(
            "{ints}.map(x, string(x))",
            "{strings} + {strings}",
            "{strings}.filter(x, x != {string})",
        ),
    ),
}
_HOLE = re.compile(r"\{(\w+)\}")


@st.composite
def _texts(draw, type, depth=4):
    """A text of a type; holes are filled with leaves alone once it is deep enough."""
    choices = [t for t in _TEMPLATES[type] if depth > 0 or not _HOLE.search(t)]
    template = draw(st.sampled_from(choices))
    return _HOLE.sub(lambda hole: f"({draw(_texts(hole[1], depth - 1))})", template)


@st.composite
def _mixed(draw, kinds):
    """A text of the first type whose holes hold texts of the second."""
    template = draw(st.sampled_from(_TEMPLATES[kinds[0]]))
    return _HOLE.sub(lambda _: f"({draw(_texts(kinds[1], 2))})", template)


_ERRORS = {
    *("overflow", "range error", "divide by zero", "modulus by zero", "no such key"),
    *("no such overload", "invalid argument"),
}


def outcome(text):
    """What typing and running a text comes to; the value must be of the type found."""
    found = type_of(text)
    if found.diagnostics:
        return found.diagnostics[0].code
    try:
        value = compile_node(found.node)(VALUES)
    except CelError as error:
        return error.kind
    assert fits(value, found.type)
    return ""


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(_TEMPLATES)).flatmap(_texts))
def test_what_is_typed_is_what_comes(text):
    refused = {"F207"}  # a literal that a conversion does not take, such as `int("a")`
    assert outcome(text) in {"", *refused} | _ERRORS


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(sorted(_TEMPLATES)), min_size=2, max_size=2).flatmap(_mixed))
def test_what_does_not_fit_is_refused(text):
    """Holes filled with whatever comes: mostly errors, never a crash, never a wrong value."""
    outcome(text)
