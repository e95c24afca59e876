"""`starts every` and `starts at`: sagas that start by the clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from dsl import syntax
from dsl.cel.scope import FieldShape
from dsl.check.block import arguments, reads
from dsl.check.report import Report, did_you_mean
from dsl.check.scope import LocalScope, ModuleScope, Variable
from dsl.check.settings import positive, shown
from dsl.diagnostic import Note
from dsl.model import ScheduleModel
from dsl.suggestion import Suggestion
from dsl.types import TIMESTAMP

#: The name of the scheduled time, a timestamp, in the arguments of a start.
TIME = "at"

#: Some read it as the range to the last value.
_ONE_WITH_STEPS = re.compile(r"\b(\w+)-\1/\d+")

_RANGES = {
    "minute": "a minute is 0 to 59",
    "hour": "an hour is 0 to 23",
    "day-of-month": "a day is 1 to 31, and one that a month in the cron has",
    "month": "a month is 1 to 12, or `JAN` to `DEC`",
    "day-of-week": "a day of the week is 0 to 7, or `SUN` to `SAT`",
}
_FIELDS = "write five fields: minute, hour, day of month, month, day of week, as in `0 9 * * MON`"


def check_schedules(
    saga: syntax.SagaDecl, parameters: tuple[FieldShape, ...], scope: ModuleScope, report: Report
) -> Iterator[ScheduleModel]:
    """The schedules of a saga."""
    for start in saga.schedules:
        inside = LocalScope(scope)
        inside.variables[TIME] = Variable(TIMESTAMP, start.at)
        callee = syntax.Identifier(saga.name.text, start.at)
        before = len(report.diagnostics)
        given = arguments(start.arguments, parameters, inside, callee, report)
        if len(report.diagnostics) == before:
            _keys_apart(saga, start, report)
        if isinstance(start, syntax.StartsEvery):
            if every := _interval(start.interval, report):
                yield ScheduleModel(every=every, arguments=given)
        elif _cron(start.cron, report) & _zone(start.zone, report):
            zone = str(start.zone.value) if start.zone else "UTC"
            cron = " ".join(str(start.cron.value).split())
            yield ScheduleModel(cron=cron, zone=zone, arguments=given)


def _interval(interval: syntax.Expr, report: Report) -> timedelta | None:
    found = positive(interval, "every", report)
    if found is not None and found % timedelta(seconds=1):
        message = f"`every` cannot be `{interval.at.text}`"
        report.add("F211", message, interval.at, "too fine", "say it in whole seconds")
        return None
    return found


def _cron(cron: syntax.Literal, report: Report) -> bool:
    """Whether a text is a cron that everybody reads in one way; reported when not."""
    if not isinstance(cron.value, str):
        return False  # reported where it was read
    text = cron.value
    problem, help = _wrong(text) or ("", "")
    if problem:
        message = f"`{shown(text) or ' '}` is no time to start at"
        report.add("F342", message, cron.at, problem, help)
    return not problem


def _wrong(text: str) -> tuple[str, str] | None:
    """What is wrong with a cron, and what to do."""
    # Only who has a schedule pays for its reader.
    from cronsim import CronSim, CronSimError

    fields = text.split()
    if len(fields) != 5:
        return f"{len(fields)} field{'' if len(fields) == 1 else 's'}", _FIELDS
    try:
        read = CronSim(text, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        wrong = str(error).removeprefix("Bad ")
        return f"no {wrong.replace('-', ' ')}", _RANGES.get(wrong, _FIELDS)
    if any(not isinstance(i, int) or i < 0 for i in (*read.days, *read.weekdays)):
        return "`L` and `#` are not known", "say the days by their numbers or names"
    if one := _ONE_WITH_STEPS.search(text):
        return f"`{one[0]}` is a range of one", f"say it without steps: `{one[1]}`"
    if "-7" in fields[4]:
        return "a range of days that ends with Sunday", "name Sunday by itself, as in `5-6,0`"
    if fields[2] != "*" and fields[4] != "*":
        # Cron takes either day, the server takes days that are both.
        return "a day of the month and one of the week", "write a `starts at` for each of them"
    return None


def _zone(zone: syntax.Literal | None, report: Report) -> bool:
    """Whether a text is a time zone of the IANA's; reported when not."""
    if zone is None:
        return True
    if not isinstance(zone.value, str):
        return False  # reported where it was read
    from importlib.resources import files  # slow to load, and few flows name a zone

    # The machine's own list may differ from the server's.
    known = (files("tzdata") / "zones").read_text("utf-8").split()
    if zone.value in known:
        return True
    close = did_you_mean(zone.value, (z for z in known if "/" in z))
    help = "take one of the IANA's, as `Europe/Berlin`"
    if isinstance(close, Suggestion):
        help = Suggestion(zone.at.text, f'"{close.right}"', str(close))
    message = f"no time zone named `{shown(zone.value) or ' '}`"
    report.add("F344", message, zone.at, "not known", help)
    return False


def _keys_apart(saga: syntax.SagaDecl, start: syntax.Scheduled, report: Report) -> None:
    """A saga runs once for each key, so each time needs a key of its own."""
    if saga.key is None:
        return
    names = {n.text for n in syntax.walk(saga.key) if isinstance(n, syntax.Name)}
    known = {p.name.text for p in saga.parameters} & names
    given = {a.name.text: a.value for a in start.arguments if a.name}
    if any(reads(given[n], TIME) for n in known):
        return
    also = (Note(saga.key.at, "the key"),)
    message = f"every start of `{saga.name.text}` would have one key"
    help = f"let the key come from the scheduled time `{TIME}`, as in `with (day: string({TIME}))`"
    report.add("F343", message, start.at, "the same at any time", help, also)
