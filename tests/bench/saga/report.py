"""The table and the rows of the benchmark `saga`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tests.bench.aim import Aim, at_most, times
from tests.bench.rows import Row, row
from tests.bench.saga.contender import Slice
from tests.bench.saga.orders import Kind
from tests.bench.saga.rounds import Compared, Round, compare, percentile, retried, spread

#: A control that moved further warns.
STEADY = 0.15
#: More activities per saga under load than alone, and the load is too heavy.
RETRIED = 0.2
#: What issue 2 aims at.
EVENTS_AIM, RATE_AIM = 12, 1.5

_PROCESSES = {
    "worker": "worker",
    "temporal": "Temporal",
    "kafka": "Kafka",
    "participants": "services",
    "starter": "starter",
}


def _rate(measured: Slice) -> float:
    return measured.rate


def _cpu(process: str) -> Callable[[Slice], float]:
    """In milliseconds."""
    return lambda measured: measured.cpu[process] * 1000


def rows(rounds: Sequence[Round]) -> list[Row]:
    """For `build/bench.json`; `reference` is the hand-written saga in the default sandbox."""
    found = [
        _row("throughput", compare(rounds, Kind.REFERENCE, _rate), "sagas/s", times(RATE_AIM)),
        *(_latency(rounds, percent) for percent in (50, 99)),
        row("saga/history", *_events(rounds), "events/saga", at_most(EVENTS_AIM, "events/saga")),
    ]
    for process in _PROCESSES:
        figure = compare(rounds, Kind.REFERENCE, _cpu(process))
        found.append(_row(f"cpu-{process}", figure, "ms/saga"))
    unsandboxed = compare(rounds, Kind.UNSANDBOXED, _rate)
    found.append(_row("throughput-unsandboxed-reference", unsandboxed, "sagas/s"))
    worker = compare(rounds, Kind.UNSANDBOXED, _cpu("worker"))
    found.append(_row("cpu-worker-unsandboxed-reference", worker, "ms/saga"))
    return found


def show(screen: Console, rounds: Sequence[Round], end: float) -> None:
    """Prints the tables; `end` is the control's last rate."""
    screen.print(_summary(rounds))
    screen.print(_by_round(rounds))
    rates = [*(r.control for r in rounds), end]
    moved = spread(rates)
    text = f"control: {min(rates):.0f} to {max(rates):.0f} empty workflows/s, moved by {moved:.0%}"
    if moved > STEADY:
        text += (
            "\n[yellow]warning: the machine was not steady: read the ratios with their range over"
            " the rounds, and not the values; measure again on a quiet machine[/]"
        )
    screen.print(text, highlight=False)
    for kind in (Kind.OURS, Kind.REFERENCE):
        if (extra := retried(rounds, kind)) > RETRIED:
            screen.print(
                f"[yellow]warning: under load, {kind} needed up to {extra:.1f} activities per saga"
                " more than alone: attempts timed out, the load is too heavy for this machine[/]",
                highlight=False,
            )


def _summary(rounds: Sequence[Round]) -> Table:
    title = "the order saga over Kafka: ours, and written by hand (reference)"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in ("ours", "reference", "ratio", "rounds", "un-\nsandboxed", "ratio", "aim"):
        table.add_column(name, justify="right", no_wrap=True)
    _line(table, "sagas/s", rounds, _rate, f"≥{RATE_AIM}×")
    ours, theirs = _events(rounds)
    ratio = f"{ours / theirs:.2f}"
    table.add_row("history events", f"{ours}", f"{theirs}", ratio, "", "", "", f"≤{EVENTS_AIM}")
    for percent in (50, 99):
        found = _latency(rounds, percent)
        cells = (f"{found.value:.0f}", f"{found.reference:.0f}", f"{found.ratio:.2f}")
        table.add_row(f"alone ms, p{percent}", *cells)
    for process, label in _PROCESSES.items():
        _line(table, f"CPU ms, {label}", rounds, _cpu(process))
    return table


def _line(
    table: Table,
    label: str,
    rounds: Sequence[Round],
    figure: Callable[[Slice], float],
    aim: str = "",
) -> None:
    first = compare(rounds, Kind.REFERENCE, figure)
    second = compare(rounds, Kind.UNSANDBOXED, figure)
    extremes = f"{first.low:.1f}–{first.high:.1f}"
    cells = [f"{first.ours:.1f}", f"{first.other:.1f}", f"{first.ratio:.2f}", extremes]
    table.add_row(label, *cells, f"{second.other:.1f}", f"{second.ratio:.2f}", aim)


def _by_round(rounds: Sequence[Round]) -> Table:
    table = Table(title="by round: sagas/s, and the machine", box=SIMPLE_HEAD)
    for name in ("control/s", *Kind, "others, cores"):
        table.add_column(str(name), justify="right")
    for each in rounds:
        others = max(s.others for s in each.load.values())
        rates = (f"{each.load[kind].rate:.1f}" for kind in Kind)
        table.add_row(f"{each.control:.0f}", *rates, f"{others:.2f}")
    return table


def _events(rounds: Sequence[Round]) -> tuple[int, int]:
    """The longest history of each: one that took the durable way once shows."""
    ours, theirs = (max(r.alone[k].events for r in rounds) for k in (Kind.OURS, Kind.REFERENCE))
    return ours, theirs


def _latency(rounds: Sequence[Round], percent: int) -> Row:
    ours, theirs = (
        percentile(rounds, kind, percent) * 1000 for kind in (Kind.OURS, Kind.REFERENCE)
    )
    return row(f"saga/latency-p{percent}", ours, theirs, "ms")


def _row(name: str, figure: Compared, unit: str, aim: Aim | None = None) -> Row:
    made = row(f"saga/{name}", figure.ours, figure.other, unit)
    return Row(made.name, made.value, made.reference, round(figure.ratio, 3), unit, aim)
