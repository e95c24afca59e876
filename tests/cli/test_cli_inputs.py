"""`orchestrate signal`, `query` and `update` on a running stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.cli.program import Cli, Dev, Done, eventually, nothing_left

FLOW = """
module cli.talk

/// Waits for two approvals.
saga Talk(id: string) -> string key id {
  signal Approve { by: string  granted: bool = true }
  query state -> string = progress
  update Rename { to: string } when to != progress { set progress = to }

  var progress = "new"
  await Approve as one when one.granted
  await Approve as two when two.granted
  return progress + one.by + two.by
}

/// Counts until it is enough.
saga Count(id: string) -> int key id {
  signal Tick { n: int }
  query counted -> int = sum
  update Enough { at: int } { set enough = at }

  var sum = 0
  var enough = 1000
  while sum < enough {
    await Tick as tick
    set sum = sum + tick.n
  }
  return sum
}
"""


@dataclass(frozen=True)
class Talk:
    """A saga of the running stack."""

    cli: Cli
    id: str

    def __call__(self, command: str, *arguments: object, **options: Any) -> Done:
        """A command on this saga."""
        return self.cli.call(command, self.id, *arguments, **options)


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """One stack for all tests of this file."""
    cli = Cli(tmp_path_factory.mktemp("inputs"))
    flow = cli.cwd / "talk.flow"
    flow.write_text(FLOW)
    dev = Dev(cli, flow)
    try:
        dev.until("up; Ctrl-C stops")
        yield cli
    finally:
        dev.kill()
    assert nothing_left(cli.data)


@pytest.fixture
def talk(cli: Cli, request: pytest.FixtureRequest) -> Talk:
    """A saga that has begun."""
    given = json.dumps({"id": request.node.name})
    talk = Talk(cli, cli.call("start", "Talk", "--input", given).out.strip())
    eventually(lambda: talk("query", "state").code == 0)
    return talk


def test_a_saga_of_many_runs_is_one(cli: Cli) -> None:
    """Started with runs of few events it is told, asked, changed and shown as one saga."""
    given, few = json.dumps({"id": "many"}), {"ORCHESTRATE_EVENTS_PER_RUN": "10"}
    count = Talk(cli, cli.call("start", "Count", "--input", given, env=few).out.strip())

    def counted(n: int) -> bool:
        return count("query", "counted").out == f"{n}\n"

    for n in range(1, 13):
        for _ in range(2):
            assert count("signal", "Tick", "--input", '{"n": 1}', "--id", n).code == 0
        eventually(partial(counted, n))
    shown = count("show", "--json").json
    assert (shown["status"], shown["runs"] > 2) == ("running", True)
    assert f" history events in {shown['runs']} runs" in count("show").out
    for _ in range(2):
        assert count("update", "Enough", "--input", '{"at": 13}', "--id", "one").code == 0
    assert count("signal", "Tick", "--input", '{"n": 1}').code == 0
    eventually(lambda: count("show", "--json").json["status"] == "completed")
    assert count("show", "--json").json["outcome"]["result"] == 13
    listed = [i for i in cli.call("list", "--json").json if i["id"] == count.id]
    assert [i["status"] for i in listed] == ["completed"]


def test_a_saga_is_asked_changed_and_told(talk: Talk) -> None:
    """The answer is printed as JSON; the update is seen; the signals end the saga."""
    assert talk("query", "state").out == '"new"\n'
    done = talk("update", "Rename", "--input", '{"to": "by "}')
    assert (done.code, done.out) == (0, f"{talk.id} is changed: Rename\n")
    assert talk("query", "state", "--json").json["value"] == "by "
    for _ in range(2):
        told = talk("signal", "Approve", "--input", '{"by": "ada"}', "--id", "1", "--json")
        assert told.json == {"id": talk.id, "signal": "Approve"}
    file = talk.cli.cwd / "bob.json"
    file.write_text('{"by": "bob"}')
    assert talk("signal", "Approve", "--input", f"@{file}").out == f"{talk.id} was sent Approve\n"
    eventually(lambda: talk("show", "--json").json["status"] == "completed")
    assert talk("show", "--json").json["outcome"]["result"] == "by adabob"
    assert "has ended already: completed" in talk("signal", "Approve", "-i", '{"by":"x"}').refused()
    assert talk("query", "state").code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("signal", "Aprove"), "`Talk` has no signal `Aprove`; did you mean `Approve`?"),
        (("query", "stat"), "`Talk` has no query `stat`; did you mean `state`?"),
        (("update", "zzz"), "`Talk` has no update `zzz`; it has `Rename`"),
        (("signal", "Rename"), "`Rename` of `Talk` is no signal: use `orchestrate update`"),
        (("signal", "Approve"), "input of `Approve`: `by` is missing"),
        (("signal", "Approve", "-i", '{"by": 7}'), "input of `Approve`: `by` must be a string"),
        (("signal", "Approve", "-i", "{"), "--input is not JSON"),
        (
            ("update", "Rename", "-i", '{"to": "new"}'),
            "`Rename` is refused: `to != progress` does not hold",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    talk: Talk, arguments: tuple[str, ...], sentence: str
) -> None:
    """An unknown name, input that does not fit and an update that the saga refuses."""
    assert sentence in talk(*arguments).refused()


@pytest.mark.parametrize("command", ["signal", "query", "update"])
def test_an_unknown_instance(cli: Cli, command: str) -> None:
    """An id that no saga has is one sentence that says where to look."""
    assert "there is no saga `Talk/none`" in cli.call(command, "Talk/none", "x").refused()
