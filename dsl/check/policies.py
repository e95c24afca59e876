"""Policies: what `extends` leaves unsaid comes from the other, in the end from `DEFAULT`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import ceil, inf, log
from typing import Any

from msgspec.structs import replace

from dsl import syntax
from dsl.check.imports import offer
from dsl.check.names import Module, Symbol
from dsl.check.report import Report, did_you_mean
from dsl.check.settings import Settings, call, shown
from dsl.fine import coarse
from dsl.model import Breaker, Exhausted, Order, Overflow, PolicyModel, RateLimit, Retry

#: What a step has when nobody names a policy.
DEFAULT = PolicyModel(
    timeout=timedelta(seconds=10),
    retry=Retry(
        attempts=5,
        initial=timedelta(seconds=1),
        factor=2.0,
        maximum=timedelta(seconds=30),
        jitter=0.2,
    ),
)

#: How many policies may extend one another.
_LONGEST = 100
#: How many attempts Temporal can count.
_MOST = 2**31 - 1

_RETRY: dict[str, dict[str, type]] = {
    "exponential": {
        "attempts": int,
        "initial": timedelta,
        "factor": float,
        "max": timedelta,
        "jitter": Decimal,
    },
    "fixed": {"attempts": int, "every": timedelta},
    "none": {},
}
_BREAKER: dict[str, dict[str, type]] = {
    "breaker": {"failures": int, "within": timedelta, "open_for": timedelta}
}


class Policies:
    """Finds policies by the names that declarations and steps use."""

    def __init__(self, modules: dict[str, Module], report: Report) -> None:
        self._modules = modules
        self._report = report
        self._made: dict[str, PolicyModel] = {}
        self._open: set[str] = set()

    def find(self, path: syntax.Path, module: Module) -> PolicyModel:
        """The policy of that name; the default one, with a diagnostic, where there is none."""
        symbol = module.find(path.text)
        if symbol and isinstance(symbol.declaration, syntax.PolicyDecl):
            return self.policy(symbol, symbol.declaration)
        known = module.names_of(syntax.PolicyDecl)
        message = f"no policy named `{path.text}`"
        found = offer(path.text, syntax.PolicyDecl, module)
        help = found.help or did_you_mean(path.text, known) or "declare it with `policy`"
        self._report.add("F101", message, path.at, "not a policy", help, fix=found.fix)
        return DEFAULT

    def declared(self, module: Module) -> tuple[PolicyModel, ...]:
        """The policies that a module declares."""
        return tuple(
            self.policy(s, s.declaration)
            for s in module.own.values()
            if isinstance(s.declaration, syntax.PolicyDecl)
        )

    def policy(self, symbol: Symbol, declaration: syntax.PolicyDecl) -> PolicyModel:
        """The model of a declared policy."""
        if symbol.name not in self._made:
            if symbol.name in self._open:
                message, help = f"`{declaration.name.text}` extends itself", "extend another one"
                at = declaration.extends.at if declaration.extends else declaration.name.at
                self._report.add("F107", message, at, "leads back to it", help)
                return DEFAULT
            if len(self._open) >= _LONGEST:
                message, help = f"more than {_LONGEST} policies in a row", "extend an earlier one"
                self._report.add("F003", message, declaration.name.at, "too deep", help)
                return DEFAULT
            self._open.add(symbol.name)
            self._made[symbol.name] = self._build(symbol, declaration)
            self._open.discard(symbol.name)
        return self._made[symbol.name]

    def _build(self, symbol: Symbol, declaration: syntax.PolicyDecl) -> PolicyModel:
        module = self._modules[symbol.module]
        basis = self.find(declaration.extends, module) if declaration.extends else DEFAULT
        settings = Settings(declaration.settings, "a policy", self._report)
        said: dict[str, Any] = {
            "timeout": settings.duration("timeout"),
            "retry": self._retry(settings.take("retry")),
            "dead_letter": settings.topic("dead_letter"),
            "exhausted": settings.one_of("exhausted", Exhausted),
            "order": settings.one_of("order", Order),
            "circuit_breaker": self._breaker(settings.take("circuit_breaker")),
            "rate_limit": self._rate(settings.take("rate_limit")),
            "max_in_flight": settings.count("max_in_flight"),
            "overflow": settings.one_of("overflow", Overflow),
        }
        settings.finish()
        changes = {name: value for name, value in said.items() if value is not None}
        changes |= {"name": symbol.name, "doc": declaration.doc}
        return replace(basis, **changes)

    def _retry(self, value: syntax.Expr | None) -> Retry | None:
        form = call(value, _RETRY, self._report) if value is not None else None
        if form is None:
            return None
        if form.name == "none":
            return Retry()
        said = form.values
        attempts, factor = said.get("attempts", 5), float(said.get("factor", 2.0))
        jitter = float(said.get("jitter", 0))
        sound = (
            form.bounded("attempts", attempts >= 1, "1 or more: it counts the first", self._report)
            and form.bounded("attempts", attempts <= _MOST, f"{_MOST} or less", self._report)
            and form.bounded("factor", factor >= 1, "1 or more", self._report)
            and form.bounded("jitter", jitter <= 1, "`100%` or less", self._report)
        )
        if not sound:
            return None
        if form.name == "fixed":
            every = said.get("every", timedelta(seconds=1))
            return Retry(attempts=attempts, initial=every, maximum=every)
        return Retry(
            attempts=attempts,
            initial=said.get("initial", timedelta(seconds=1)),
            factor=factor,
            maximum=said.get("max"),
            jitter=jitter,
        )

    def _breaker(self, value: syntax.Expr | None) -> Breaker | None:
        form = call(value, _BREAKER, self._report) if value is not None else None
        if form is None or value is None:
            return None
        if missing := [a for a in _BREAKER["breaker"] if a not in form.places]:
            message = "`breaker` lacks " + ", ".join(f"`{a}`" for a in missing)
            help = "write `breaker(failures: 5, within: 30s, open_for: 10s)`"
            self._report.add("F203", message, value.at, "not complete", help)
            return None
        said, nothing = form.values, timedelta(0)
        sound = [
            form.bounded("failures", said.get("failures", 1) >= 1, "1 or more", self._report),
            *(
                form.bounded(a, said.get(a) != nothing, "longer than nothing", self._report)
                for a in ("within", "open_for")
            ),
        ]
        return Breaker(**said) if all(sound) and len(said) == len(sound) else None

    def _rate(self, value: syntax.Expr | None) -> RateLimit | None:
        """`1000 / 1s`."""
        match value:
            case None:
                return None
            case syntax.Binary("/", syntax.Literal(int(count)), syntax.Literal(timedelta() as per)):
                per = coarse(per)
                if type(count) is int and count >= 1 and per > timedelta(0):
                    return RateLimit(count=count, per=per)
                label = "nothing could pass" if count < 1 else "no time at all"
            case _:
                label = "not a number of messages in a time"
        message, help = (
            f"`rate_limit` cannot be `{shown(value.at.text)}`",
            "write it as `1000 / 1s`",
        )
        self._report.add("F211", message, value.at, label, help)
        return None


def longest(policy: PolicyModel) -> timedelta:
    """The longest that all attempts of a policy may take, waits included and jitter at its most;
    `timedelta.max` when that is longer than a duration can say."""
    retry = policy.retry
    attempts = policy.timeout.total_seconds() * retry.attempts
    try:
        return timedelta(seconds=attempts + _waiting(retry) * (1 + retry.jitter))
    except OverflowError:
        return timedelta.max


def _waiting(retry: Retry) -> float:
    """The sum of the waits between the attempts in seconds, without jitter. Computed, not counted:
    a policy may have any number of attempts."""
    pauses, first, factor = retry.attempts - 1, retry.initial.total_seconds(), retry.factor
    most = retry.maximum.total_seconds() if retry.maximum is not None else inf
    if factor == 1 or not 0 < first < most:
        return pauses * min(first, most)
    growing = pauses if most == inf else min(pauses, ceil(log(most / first) / log(factor)))
    level = (pauses - growing) * most if growing < pauses else 0.0
    return float(first * (factor**growing - 1) / (factor - 1) + level)
