"""What sagas wait for: no alarm where it may come, one report where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.load import check_texts, load

TALKS = """
module m

service talks {
  event Offered key id { id: string }
  event Accepted key id { id: string }
}
service work {
  command Ask key id { id: string } replies Told
  event Told key id { id: string }
}
"""


def codes(text: str) -> list[str]:
    return [d.code for d in check_texts({"m.flow": text}).diagnostics]


@pytest.mark.parametrize(
    "sagas",
    [
        # each way of the one gives what the other waits for, before it waits itself
        "saga A(id: string) key id { emit talks.Offered(id: id) await talks.Accepted }"
        "saga B(id: string) key id { await talks.Offered emit talks.Accepted(id: id) }",
        # one way does not wait
        "saga A(id: string, now: bool) key id {"
        "  if now { await talks.Accepted } emit talks.Offered(id: id) }"
        "saga B(id: string) key id { await talks.Offered emit talks.Accepted(id: id) }",
        # a loop may have no turn
        "saga A(ids: list<string>, id: string) key id {"
        "  for _i in ids { await talks.Accepted } emit talks.Offered(id: id) }"
        "saga B(id: string) key id { await talks.Offered emit talks.Accepted(id: id) }",
        # the wait is given up
        "saga A(id: string) key id {"
        "  await talks.Accepted within 1h on timeout { } emit talks.Offered(id: id) }"
        "saga B(id: string) key id { await talks.Offered emit talks.Accepted(id: id) }",
        # a race goes on after a while
        "saga A(id: string) key id {"
        "  race { on talks.Accepted { } after 1h { } } emit talks.Offered(id: id) }"
        "saga B(id: string) key id { await talks.Offered emit talks.Accepted(id: id) }",
        # a branch beside gives it
        "saga A(id: string) key id { parallel {"
        "  branch a { await talks.Accepted } branch b { emit talks.Accepted(id: id) } } }",
        # an undo gives it
        "saga A(id: string) key id { step g = work.Ask(id: id)"
        "  undo { step h = work.Ask(id: g.id) emit talks.Offered(id: h.id) } fail id }"
        "saga B(id: string) key id { await talks.Offered }",
        # the scope is left
        "saga A(id: string) key id {"
        "  try { await talks.Accepted within 1h } on timeout { } emit talks.Accepted(id: id) }",
        # a third saga breaks the circle
        "saga A(id: string) key id { await talks.Accepted emit talks.Offered(id: id) }"
        "saga B(id: string) key id { await talks.Offered emit talks.Accepted(id: id) }"
        "saga C(id: string) key id { emit talks.Offered(id: id) }",
        # what starts a saga may come from anywhere
        "saga A(id: string) key id starts on talks.Offered as e with (id: e.id) { }",
    ],
)
def test_no_alarm(sagas: str) -> None:
    assert codes(TALKS + sagas) == []


@pytest.mark.parametrize(
    "sagas",
    [
        "saga A(id: string) key id { while true { await talks.Offered } }",
        "saga A(id: string) key id { parallel { branch a { await talks.Offered } } }",
        "saga A(id: string) key id { race { on talks.Offered { } after 1h { } } }"
        "saga B(id: string) key id { await talks.Offered }",
    ],
)
def test_nothing_publishes(sagas: str) -> None:
    """Wherever it is waited for, and once for each event."""
    assert codes(TALKS + sagas) == ["F371"]


@pytest.mark.parametrize(
    "sagas",
    [
        "saga A(id: string, x: bool) key id { if x { await talks.Accepted } else {"
        " await talks.Accepted } emit talks.Offered(id: id) }"
        "saga B(id: string) key id { await talks.Offered emit talks.Accepted(id: id) }",
        "saga A(id: string) key id { race { on talks.Accepted { } } emit talks.Offered(id: id) }"
        "saga B(id: string) key id { await talks.Offered emit talks.Accepted(id: id) }",
        "saga A(id: string) key id { parallel { branch a { await talks.Accepted } branch b { } }"
        " emit talks.Offered(id: id) }"
        "saga B(id: string) key id { await talks.Offered emit talks.Accepted(id: id) }",
        "saga A(id: string) key id { race { on talks.Accepted { emit talks.Offered(id: id) }"
        " after 1h { } } }"
        "saga B(id: string) key id { race { on talks.Offered { emit talks.Accepted(id: id) }"
        " after 1h { } } }",
        "saga A(id: string) key id { await talks.Accepted within 1h on timeout { fail id }"
        " emit talks.Accepted(id: id) }",
    ],
)
def test_a_circle(sagas: str) -> None:
    """A circle that no way leaves is reported once."""
    assert codes(TALKS + sagas) == ["F372"]


@pytest.mark.parametrize(
    "service",
    [
        "publisher: outside",
        "command Offer key id { id: string } replies Offered",
        "command Think key id { id: string } replies Accepted",
    ],
)
def test_what_needs_no_emit(service: str) -> None:
    """A participant publishes what it declares, and says so where it is nobody of ours."""
    text = TALKS.replace("service talks {", f"service talks {{ {service}")
    assert codes(text + "saga A(id: string) key id { await talks.Offered }") == []


def test_a_saga_in_a_file_beside_publishes_it(tmp_path: Path) -> None:
    """Checking one file of a folder does not call what another one emits unpublished."""
    (tmp_path / "talks.flow").write_text(TALKS.replace("module m", "module talks_contract"))
    imports = "from talks_contract import talks\n"
    (tmp_path / "a.flow").write_text(
        f"module a\n{imports}saga A(id: string) key id {{ await talks.Offered }}"
    )
    (tmp_path / "b.flow").write_text(
        f"module b\n{imports}saga B(id: string) key id {{ emit talks.Offered(id: id) }}"
    )
    assert load([tmp_path / "a.flow"]).diagnostics == ()
    (tmp_path / "b.flow").unlink()
    assert [d.code for d in load([tmp_path / "a.flow"]).diagnostics] == ["F371"]


def test_the_time_is_linear() -> None:
    """Thousands of sagas that wait for each other are no more than that many times one."""
    n = 2000
    events = "".join(f"event E{i} key id {{ id: string }}\n" for i in range(n))
    sagas = "".join(
        f"saga S{i}(id: string) key id {{ await t.E{i} emit t.E{(i + 1) % n}(id: id) }}\n"
        for i in range(n)
    )
    assert codes(f"module m\nservice t {{ {events} }}\n{sagas}") == ["F372"]
