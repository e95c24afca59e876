"""When the fast way is taken."""

from __future__ import annotations

from orchestrator.runtime.window import Window


def test_a_service_that_answers_in_time_has_the_whole_window() -> None:
    """While answers come, the fast way waits its full time."""
    window = Window(0.5)
    for _ in range(20):
        window.note("a.Do", answered=True)
    assert window.for_type("a.Do") == 0.5


def test_a_slow_service_is_left_to_the_durable_way_but_for_probes() -> None:
    """After many misses few commands try the fast way; other types are not affected."""
    window = Window(0.5)
    for _ in range(20):
        window.note("a.Do", answered=False)
    tried = [window.for_type("a.Do") for _ in range(20)]
    assert tried.count(0.5) == 2
    assert window.for_type("b.Do") == 0.5


def test_answers_to_probes_bring_the_fast_way_back() -> None:
    """When the service is quick again, so is the way."""
    window = Window(0.5)
    for _ in range(20):
        window.note("a.Do", answered=False)
    for _ in range(5):
        window.note("a.Do", answered=True)
    assert window.for_type("a.Do") == 0.5
