"""Signals of a saga, awaited and raced for in memory."""

from __future__ import annotations

from script import Script, news

from dsl.values import Struct

DECLARED = "signal Approve { by: string  granted: bool = true }"


def approve(by: str, granted: bool = True) -> Struct:
    """The signal."""
    return Struct("t.S.Approve", {"by": by, "granted": granted})


async def test_a_signal_is_awaited_like_an_event() -> None:
    """The first that meets the condition is taken; one that does not is left."""
    script = Script()
    script.early = [approve("k"), approve("ada"), approve("bob")]
    body = f"{DECLARED} await Approve as a when a.by != id return a.by"
    assert await script.run(body) == "returned ada"
    assert [s["by"] for s in script.early] == ["k", "bob"]


async def test_a_signal_that_does_not_come_times_out() -> None:
    """Its handler runs, and without one the saga fails, naming the signal."""
    handled = DECLARED + ' await Approve within 2d on timeout { } return "on"'
    assert await Script().run(handled) == "returned on"
    bare = DECLARED + ' await Approve within 2d return "on"'
    assert await Script().run(bare) == "failed: no Approve came within 172800s"


async def test_signals_and_events_race() -> None:
    """Of what came early the oldest wins, whichever kind it is."""
    body = (
        DECLARED
        + """
      race {
        on a.News as some { return string(some.n) }
        on Approve as a when a.granted { return a.by }
      }
    """
    )
    script = Script()
    script.early = [approve("no", granted=False), approve("yes"), news("a", 7)]
    assert await script.run(body) == "returned yes"
    script.early = [news("a", 7), approve("yes")]
    assert await script.run(body) == "returned 7"
