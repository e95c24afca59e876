"""What policies and services may say of themselves, for hovers and completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dsl.editor.place import header, open_call
from dsl.lexer import Token


class Setting(NamedTuple):
    """A setting in a line, and the words and forms that it takes, each with a line of its own."""

    doc: str
    values: Mapping[str, str] = {}


class Form(NamedTuple):
    """What is written like a call in a setting: a line about it, and its arguments."""

    doc: str
    arguments: Mapping[str, str]


_ATTEMPTS = "How often it is tried, the first time included."
FORMS: dict[str, Form] = {
    "exponential": Form(
        "Waits that grow: `initial`, then each `factor` times the last one, up to `max`.",
        {
            "attempts": _ATTEMPTS,
            "initial": "The wait after the first attempt.",
            "factor": "What a wait is multiplied by to give the next one.",
            "max": "The longest wait.",
            "jitter": "The share by which a wait is lengthened at random: `20%`.",
        },
    ),
    "fixed": Form(
        "The same wait after each attempt.",
        {"attempts": _ATTEMPTS, "every": "The wait between two attempts."},
    ),
    "breaker": Form(
        "Stops calling a service that fails again and again.",
        {
            "failures": "So many failures open it.",
            "within": "In so long a time.",
            "open_for": "How long nothing is sent then.",
        },
    ),
    "topic": Form(
        "A Kafka topic.",
        {
            "name": "Its name.",
            "partitions": "How many partitions it is created with.",
            "retention": "How long it keeps its records.",
        },
    ),
}

POLICY: dict[str, Setting] = {
    "timeout": Setting("How long one attempt waits for its answer."),
    "retry": Setting(
        "How often and after which waits it is tried again.",
        {name: FORMS[name].doc for name in ("exponential", "fixed")} | {"none": "One attempt."},
    ),
    "dead_letter": Setting("The topic that takes a command when all attempts are used up."),
    "exhausted": Setting(
        "What follows when all attempts are used up.",
        {
            "compensate": "The step fails: its handler, the `try` around it, or compensation.",
            "park": "The saga waits until a person decides.",
        },
    ),
    "order": Setting(
        "What the later messages of a key do while one waits for its retry.",
        {
            "ordered": "They wait behind it.",
            "blocking": "The whole partition waits.",
            "unordered": "They go on.",
        },
    ),
    "circuit_breaker": Setting(
        "Spares a service that fails again and again.", {"breaker": FORMS["breaker"].doc}
    ),
    "rate_limit": Setting("So many messages in a time at most: `1000 / 1s`."),
    "max_in_flight": Setting("So many unanswered messages at most."),
    "overflow": Setting(
        "What happens beyond the limits.",
        {
            "block": "The sender waits.",
            "shed": "The message is dropped.",
            "buffer": "The message is kept for later.",
        },
    ),
}

_TOPIC = {"topic": FORMS["topic"].doc}
SERVICE: dict[str, Setting] = {
    "commands": Setting("The topic of its commands.", _TOPIC),
    "events": Setting("The topic of its events.", _TOPIC),
    "format": Setting(
        "How its messages are written.",
        {"json": "JSON.", "avro": "Avro.", "protobuf": "Protobuf; fields need wire numbers."},
    ),
    "compatibility": Setting(
        "What a new version of its messages owes to the last one.",
        {
            "none": "Nothing.",
            "backward": "Its readers read old messages.",
            "backward_transitive": "Its readers read the messages of all versions before.",
            "forward": "Old readers read its messages.",
            "forward_transitive": "The readers of all versions before read its messages.",
            "full": "Both ways.",
            "full_transitive": "Both ways, with all versions before.",
        },
    ),
    "policy": Setting("What its commands are granted where nothing else is said."),
    "publisher": Setting(
        "Who publishes its events.", {"outside": "Something that no flow can see."}
    ),
}

#: What an event or a command says after `delivery`.
DELIVERY = {
    "at_most_once": "It may be lost, and never comes twice.",
    "at_least_once": "It is never lost, and may come twice; this is the default.",
    "exactly_once": "It takes effect once.",
}

#: Settings by the word of the declaration that they stand in.
SETTINGS: dict[str, dict[str, Setting]] = {"policy": POLICY, "service": SERVICE}


def said_of(left: Sequence[Token], word: str, after: str) -> str:
    """The line about a word in a policy or a service: a setting's name, its value, an argument of
    it; `left` are the tokens before it, `after` is the next one. Empty for any other word."""
    settings = SETTINGS.get(header(left), {})
    last = left[-1].text if left else ""
    if last == "delivery":
        return DELIVERY.get(word, "")
    call = open_call(left) if settings else None
    if call:
        form = FORMS.get(call.callee[-1].text)
        return form.arguments.get(word, "") if form and last in ("(", ",") else ""
    if last == ":" and len(left) > 1:
        setting = settings.get(left[-2].text)
        return setting.values.get(word, "") if setting else ""
    return settings[word].doc if after == ":" and word in settings else ""
