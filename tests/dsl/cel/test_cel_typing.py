"""What type an expression has, and what is reported where it has none."""

from __future__ import annotations

import pytest

TYPES = [
    ("1", "int"),
    ("1.5", "float"),
    ('"a"', "string"),
    ("null", "null"),
    ("10s", "duration"),
    ("20%", "decimal"),
    ("order.lines", "list<shop.Line>"),
    ("order.lines[0].price", "decimal"),
    ("order.note", "string?"),
    ("order.currency", "shop.Currency"),
    ("prices.a", "decimal"),
    ('prices["a"]', "decimal"),
    ("notes.a", "string?"),
    ("payment.payment_id", "string"),
    ("any.x.y[0]", "any"),
    ("any + 1", "int"),
    ("any + s", "string"),
    ("any < 1", "bool"),
    ("any * d", "decimal"),
    ("any - any", "any"),
    ("t - t", "duration"),
    ("t + 1h", "timestamp"),
    ("[1, 2]", "list<int>"),
    ("[]", "list<any>"),
    ('[1, "a"]', "list<any>"),
    ("[s, note]", "list<string?>"),
    ("[s, null]", "list<string?>"),
    ('{"a": 1}', "map<string, int>"),
    ("{1: d, 2: d}", "map<int, decimal>"),
    ("{}", "map<any, any>"),
    ("[tags, []]", "list<list<any>>"),
    ("flag ? s : note", "string?"),
    ("flag ? null : n", "int?"),
    ("flag ? 1 : any", "any"),
    ("flag ? USD : GBP", "shop.Currency"),
    ("flag ? EUR : currency", "shop.Currency"),
    ("flag ? [] : tags", "list<string>"),
    ("[] + tags", "list<string>"),
    ("tags + []", "list<string>"),
    ("order.lines.map(l, l.price)", "list<decimal>"),
    ("order.lines.map(l, l.price).sum()", "decimal"),
    ("order.lines.filter(l, l.quantity > 1)", "list<shop.Line>"),
    ("prices.map(k, prices[k])", "list<decimal>"),
    ("prices.filter(k, true)", "list<string>"),
    ("tags.exists(x, x == s)", "bool"),
    ("tags.min()", "string"),
    ("any.map(x, x.y)", "list<any>"),
    ("dyn(1)", "any"),
    ("any.sum()", "any"),
    ("size(any)", "int"),
    ("now()", "timestamp"),
    ("USD", "shop.Currency"),
    ("Currency.EUR", "shop.Currency"),
    ("Coin.EUR", "shop.Coin"),
    ("currency == EUR", "bool"),
    ("EUR == coin", "bool"),
    ("coin != EUR", "bool"),
    ("Line(sku: s, quantity: 1, price: d)", "shop.Line"),
    ("orders.OrderPlaced(order_id: id, total: d)", "shop.orders.OrderPlaced"),
    ("Empty()", "shop.Empty"),
    ("note == s", "bool"),
    ("note == null", "bool"),
    ("null != count", "bool"),
    ("maybe != null && maybe.parent != null && maybe.parent.note == s", "bool"),
    ('has(order.note) ? order.note : ""', "string"),
    ('!has(order.note) ? "" : order.note', "string"),
    ("order.note != null ? order.note.size() : 0", "int"),
    ("note == null || note.size() > 3", "bool"),
    ("!(note == null) && note.size() > 3", "bool"),
    ("null != note && count != null && note.size() > count", "bool"),
    ("(note == null || count == null) || note.size() > count", "bool"),
    ("(note == null || count == null) ? 0 : note.size() + count", "int"),
    ("tags.map(x, note != null, note + x)", "list<string>"),
    ("note != null && tags.exists(x, x == note)", "bool"),
    ("note != null && (note == null || note.size() > 1)", "bool"),
    ("note != null && null != note && note.size() > 1", "bool"),
]


@pytest.mark.parametrize(("text", "type"), TYPES, ids=[text for text, _ in TYPES])
def test_type(typed, text, type):
    found = typed(text)
    assert found.diagnostics == ()
    assert str(found.type) == type


#: text, code, the text under the carets, a part of the message, a part of the help
ERRORS = [
    ("ordr.note", "F101", "ordr", "no name `ordr` here", "did you mean `order`?"),
    ("qqq + 1 + true", "F101", "qqq", "no name `qqq` here", ""),
    ("EURO", "F101", "EURO", "no name `EURO` here", ""),
    ("currency == EURO", "F101", "EURO", "no name", "did you mean `EUR`?"),
    ("Currency.EURO", "F101", "EURO", "not a symbol of `shop.Currency`", "`EUR`"),
    ("Order", "F101", "Order", "`Order` is a type, not a value", "`Order(…)`"),
    ("Order.note", "F101", "Order", "`Order` is a type, not a value", ""),
    ("Ordr(order_id: id)", "F104", "Ordr", "no record or message `Ordr` here", ""),
    ("orders.OrderPlacd(total: d)", "F104", "orders.OrderPlacd", "`orders.OrderPlacd`", ""),
    ('1 + "a"', "F201", '1 + "a"', "`+` does not take `int` and `string`", "`string(1)`"),
    ("n + 1.5", "F201", "n + 1.5", "`int` and `float`", "`double(n)`"),
    ("1.5 * n", "F201", "1.5 * n", "`float` and `int`", "`double(n)`"),
    ("d * n", "F201", "d * n", "`*` does not take `decimal` and `int`", "`decimal(n)`"),
    ("n * d", "F201", "n * d", "`int` and `decimal`", "`decimal(n)`"),
    ("d * 1.5", "F201", "d * 1.5", "`decimal` and `float`", '`decimal("1.5")`'),
    ("d * f", "F201", "d * f", "`decimal` and `float`", "`decimal(string(f))`"),
    ("d > 100", "F201", "d > 100", "`>` does not take `decimal` and `int`", "`decimal(100)`"),
    ("d == 0", "F201", "d == 0", "`==` does not take `decimal` and `int`", "`decimal(0)`"),
    ("1 == 1.0", "F201", "1 == 1.0", "`int` and `float`", "`1.0`"),
    ("5.5 % 2.0", "F201", "5.5 % 2.0", "`%` does not take two `float`", ""),
    ("tags + [1]", "F201", "tags + [1]", "`list<string>` and `list<int>`", ""),
    ("id < id", "F201", "id < id", "two `uuid`", ""),
    ("t + t", "F201", "t + t", "two `timestamp`", ""),
    ('currency == "EUR"', "F201", 'currency == "EUR"', "`shop.Currency`", "`EUR`, `USD`"),
    ("currency == coin", "F201", "currency == coin", "`shop.Currency` and `shop.Coin`", ""),
    ("currency == CENT", "F201", "currency == CENT", "`shop.Currency` and `shop.Coin`", ""),
    ("n == null", "F201", "n == null", "`n` is never null", ""),
    ("order.customer_id != null", "F201", "order.customer_id != null", "is never null", ""),
    ("n && flag", "F201", "n", "expected `bool`, found `int`", ""),
    ("flag && (n || flag)", "F201", "n", "expected `bool`, found `int`", ""),
    ("!n", "F201", "n", "expected `bool`, found `int`", ""),
    ("-s", "F201", "-s", "`-` does not take `string`", ""),
    ("n ? 1 : 2", "F201", "n", "expected `bool`, found `int`", ""),
    ('flag ? 1 : "a"', "F201", '"a"', "one branch is `int`, the other `string`", ""),
    ("flag ? 1 : 2.5", "F201", "2.5", "one branch is `int`, the other `float`", "`int(2.5)`"),
    ("n[0]", "F201", "n", "`int` has no elements", ""),
    ("tags[s]", "F201", "s", "expected `int`, found `string`", "`int(s)`"),
    ("prices[1]", "F201", "1", "expected `string`, found `int`", "`string(1)`"),
    ("1 in s", "F201", "1 in s", "`in` does not take", "a list or a map"),
    ("1 in tags", "F201", "1 in tags", "`int` and `list<string>`", ""),
    ("{1.5: 1}", "F201", "1.5", "a map's key is not a `float`", ""),
    ("n.map(x, x)", "F201", "n", "`map` runs over a list or a map, not over `int`", ""),
    ("tags.map(1, 2)", "F201", "1", "the first argument of `map`", "`map(x, …)`"),
    ("tags.all(x, x)", "F201", "x", "expected `bool`, found `string`", "`bool(x)`"),
    ("size(5)", "F201", "5", "`size` does not take `int`", ""),
    ("s.startsWith(5)", "F201", "startsWith", "no `startsWith(int)` on `string`", ""),
    ("tags.sum()", "F201", "sum", "on `list<string>`", ""),
    ("order.lines.max()", "F201", "max", "on `list<shop.Line>`", ""),
    ("day.getHours()", "F201", "getHours", "on `date`", ""),
    ("bool(1)", "F207", "1", "does not make a `bool`", ""),
    ("decimal(f)", "F201", "f", "`decimal` does not take `float`", ""),
    ("has(order)", "F201", "order", "`has` takes a field", "`order != null`"),
    ("order.nte", "F202", "nte", "`shop.Order` has no field `nte`", "`note`"),
    ("has(order.nte)", "F202", "nte", "`shop.Order` has no field `nte`", "`note`"),
    ("n.x", "F202", "x", "`int` has no fields", ""),
    ("payment.at", "F202", "at", "has no field `at`", "only some of them"),
    ("order.lines.map(l, l.pric)", "F202", "pric", "`shop.Line`", "`price`"),
    ("size()", "F203", "size()", "`size` takes 1 argument, found 0", ""),
    ("tags.map(x)", "F203", "tags.map(x)", "`map` takes 2 or 3 arguments, found 1", "map(x"),
    ("Line(sku: s, quantity: 1)", "F203", "Line", "`Line` is missing `price`", "`price: …`"),
    ("Line()", "F203", "Line", "missing `sku` and `quantity` and `price`", ""),
    ("size(s, s)", "F204", "s", "`size` takes 1 argument, found 2", ""),
    ("size(x: s)", "F204", "x", "the arguments of `size` have no names", ""),
    ("tags.all(x, true, true)", "F204", "true", "`all` takes 2 arguments", ""),
    ("Line(s, 1, d)", "F204", "s", "the arguments of `Line` are named", "`sku: …`"),
    ("Line(skv: s, quantity: 1, price: d)", "F204", "skv", "`Line` has no `skv`", "`sku`"),
    ("Empty(x: 1)", "F204", "x", "`Empty` has no `x`", "remove it"),
    ("Line(sku: s, sku: s, quantity: 1, price: d)", "F204", "sku", "given twice", ""),
    ("Line(sku: s, quantity: d, price: d)", "F201", "d", "expected `int`", "`int(d)`"),
    ("Line(sku: s, quantity: 1, price: 2)", "F201", "2", "expected `decimal`", "`decimal(2)`"),
    ("Line(sku: s, quantity: 1, price: 2.5)", "F201", "2.5", "`decimal`", '`decimal("2.5")`'),
    ("len(s)", "F205", "len", "no function `len`", "`size(x)`"),
    ("s.length()", "F205", "length", "no function `length` on `string`", "write `size(s)`"),
    ("lenght(s)", "F205", "lenght", "no function `lenght`", ""),
    ("sise(s)", "F205", "sise", "no function `sise`", "did you mean `size`?"),
    ("startsWith(s, s)", "F205", "startsWith", "no function", "call it on a value"),
    ("s.startswith(s)", "F205", "startswith", "on `string`", "did you mean `startsWith`?"),
    ("s.string()", "F205", "string", "no function `string` on `string`", "`string(s)`"),
    ("order.note()", "F205", "note", "no function `note`", "without parentheses"),
    ("n(1)", "F205", "n", "`n` is not a function", ""),
    ("Currency(x: 1)", "F205", "Currency", "is an enum, not a record", "`Currency.EUR`"),
    ("note + s", "F206", "note", "`note` may be null", "`note != null ? note : …`"),
    ("order.note.size()", "F206", "order.note", "may be null", "`has(order.note) ?"),
    ("maybe.note", "F206", "maybe", "`maybe` may be null", ""),
    ("s.contains(order.note)", "F206", "order.note", "`order.note` may be null", ""),
    ("tags[count]", "F206", "count", "`count` may be null", ""),
    ("-count", "F206", "count", "`count` may be null", ""),
    ("notes.a + s", "F206", "notes.a", "`notes.a` may be null", ""),
    ("has(notes.a) ? notes.a + s : s", "F206", "notes.a", "`notes.a` may be null", ""),
    ("has(order.note) || order.note == s && order.note.size() > 1", "F206", "order.note", "", ""),
    ("note != null || note.size() > 1", "F206", "note", "`note` may be null", ""),
    ("has(order.note) ? 1 : order.note.size()", "F206", "order.note", "", ""),
    ("note != null && [note].all(note, note.size() > 0)", "", "", "", ""),
    ("note != null && [count].all(note, note > 0)", "F206", "note", "`note` may be null", ""),
    ("[note][0].size()", "F206", "[note][0]", "this may be null", "name it"),
    ("9223372036854775808", "F207", "9223372036854775808", "does not fit a 64-bit int", ""),
    ('uuid("x")', "F207", '"x"', '`"x"` does not make a `uuid`', ""),
    ('decimal("1,5")', "F207", '"1,5"', "does not make a `decimal`", ""),
    ('timestamp("today")', "F207", '"today"', "does not make a `timestamp`", ""),
    ('duration("1 day")', "F207", '"1 day"', "does not make a `duration`", ""),
    ('date("2023-02-29")', "F207", '"2023-02-29"', "does not make a `date`", ""),
    ('int("x")', "F207", '"x"', "does not make a `int`", ""),
    ('s.matches("(")', "F207", '"("', "is not a pattern", ""),
    ('s.matches("(?=a)")', "F207", '"(?=a)"', "is not a pattern", ""),
    ("EUR", "F208", "EUR", "a symbol of `shop.Currency` and `shop.Coin`", "`Currency.EUR`"),
    ("EUR == EUR", "F208", "EUR", "is a symbol of", ""),
]


@pytest.mark.parametrize(
    ("text", "code", "under", "message", "help"), ERRORS, ids=[e[0] for e in ERRORS]
)
def test_error(typed, text, code, under, message, help):
    found = typed(text).diagnostics
    if not code:
        assert found == ()
        return
    assert [d.code for d in found][:1] == [code], found
    first = found[0]
    assert first.at.text == under
    assert message in first.message
    assert help in first.help
    assert first.message[0].islower() or first.message[0] in "`"
    assert not first.message.endswith(".")
    assert bool(first.help) >= bool(help)


ONE_CAUSE = [e[0] for e in ERRORS if e[1] and e[0] != "EUR == EUR"]


@pytest.mark.parametrize("text", ONE_CAUSE)
def test_one_cause_is_one_report(typed, text):
    assert len(typed(text).diagnostics) == 1
    assert len(typed(f"[[{text}]].map(x9, x9.sum() + 1)[0].q ? 1 : 2").diagnostics) == 1


def test_each_cause_is_reported_in_order(typed):
    found = typed("Line(sku: 1, quantity: s, price: qq)").diagnostics
    assert [d.at.text for d in found] == ["1", "s", "qq"]
    found = typed("CENT == ordr.note + prize").diagnostics
    assert [d.at.text for d in found] == ["ordr", "prize"]


EXPECTED = [
    ("1", "int", ""),
    ("1", "int?", ""),
    ("null", "int?", ""),
    ("note", "string?", ""),
    ("any", "uuid", ""),
    ("[]", "list<shop.Line>", ""),
    ("{}", "map<string, decimal>", ""),
    ("EUR", "shop.Coin", ""),
    ("flag ? EUR : CENT", "shop.Coin?", ""),
    ("[EUR, CENT]", "list<shop.Coin>", ""),
    ("tags.map(x, EUR)", "list<shop.Coin>", ""),
    ('{"a": EUR}', "map<string, shop.Coin>", ""),
    ("CardCharged(payment_id: s, at: t)", "shop.CardCharged | shop.ChargePending", ""),
    ("1", "float", "F201 1"),
    ("null", "int", "F201 null"),
    ("note", "string", "F206 note"),
    ("order.note", "string", "F206 order.note"),
    ("count", "string", "F201 count"),
    ("[1, s]", "list<int>", "F201 s"),
    ("[[1], [s]]", "list<list<int>>", "F201 s"),
    ('{"a": 1, "b": s}', "map<string, int>", "F201 s"),
    ("flag ? 1 : s", "int", "F201 s"),
    ("flag ? [d] : [1]", "list<decimal>", "F201 1"),
    ('"EUR"', "shop.Coin", 'F201 "EUR"'),
    ("EURO", "shop.Coin", "F101 EURO"),
    ("order", "shop.Line", "F201 order"),
    ("payment", "shop.CardCharged", "F201 payment"),
    ("tags", "list<int>", "F201 tags"),
]


@pytest.mark.parametrize(("text", "expected", "error"), EXPECTED)
def test_expected_type(typed, text, expected, error):
    found = typed(text, expected).diagnostics
    assert [f"{d.code} {d.at.text}" for d in found] == ([error] if error else [])


def test_an_error_has_type_any(typed):
    assert str(typed("nope").type) == "any"
    assert str(typed("1", "string").type) == "any"


def test_present_paths_are_not_null(typed):
    assert typed("order.note.size()", present=("order.note",)).diagnostics == ()
    assert typed("maybe.note", present=("maybe",)).diagnostics == ()
    assert typed("maybe.note.size()", present=("maybe",)).diagnostics[0].code == "F206"
    assert typed("tags.map(note, note.size())", present=("note",)).diagnostics == ()


def test_a_qualified_symbol_is_a_constant(typed):
    node = typed("Coin.EUR").node
    assert (node.op, str(node.type), node.value) == ("const", "shop.Coin", "EUR")


def test_constant_conversions_are_made_when_checked(typed):
    node = typed('decimal("1.50")').node
    assert (node.op, str(node.type), node.value) == ("const", "decimal", "1.50")
