"""Logs of the long-running commands: one line an event, never a payload or a secret."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from orchestrator.cli.errors import CommandError, sentence
from orchestrator.settings import LogFormat
from orchestrator.telemetry.loglines import add_trace, redact

#: Tell of every reconnect; what they cannot mend comes to us as an exception.
_TALKATIVE = {"aiokafka": logging.CRITICAL, "temporalio": logging.ERROR}


def log_to_stderr(format: LogFormat = "text") -> None:
    """For a worker or a service of its own."""
    _configure(sys.stderr, format, colors=sys.stderr.isatty())


def log_to_file(path: Path) -> None:
    """For `dev`, whose terminal shows the sagas. Appends. Raises CommandError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a", encoding="utf-8", errors="replace", buffering=1)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written: {error.strerror}; name another data folder with"
            " ORCHESTRATE_DATA"
        ) from None
    _configure(stream, "text", colors=False)


def describe(error: BaseException) -> str:
    """A traceback without what the program worked on: the message of an error that is not ours
    may quote a payload, so its class and place have to do."""
    lines: list[str] = []
    for each in _chain(error):
        lines += traceback.format_tb(each.__traceback__)
        said = sentence(each)
        lines.append(type(each).__qualname__ + (f": {said}" if said else "") + "\n")
    return "".join(lines).rstrip()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error's causes first, then itself, then those it groups."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _chain(before)
    yield error
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _chain(each)


def _of_structlog(stream: TextIO, info: Any) -> None:
    stream.write("\n" + describe(info[1]))


def _configure(stream: TextIO, format: LogFormat, *, colors: bool) -> None:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_trace,
        redact,
    ]
    ends: list[Processor] = [
        structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=_of_structlog)
    ]
    if format == "json":
        ends = [_described, structlog.processors.JSONRenderer(default=str, ensure_ascii=False)]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ends],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name, level in _TALKATIVE.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[*shared, *ends],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )


def _described(_: Any, __: str, event: EventDict) -> EventDict:
    """An error in one text."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = describe(error)
    return event
