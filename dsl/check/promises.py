"""What a policy must not break where it is used: a declared order, a promised delivery."""

from __future__ import annotations

from dsl import syntax
from dsl.check.report import Report
from dsl.diagnostic import Note
from dsl.model import Delivery, Order, Overflow, PolicyModel
from dsl.source import Span


def check_service(
    declaration: syntax.ServiceDecl, policy: PolicyModel | None, report: Report
) -> None:
    """A service's policy against what its messages declare."""
    at = next((s.value.at for s in declaration.settings if s.name.text == "policy"), None)
    if policy is None or at is None:
        return
    ordered = next((e.sequence for e in declaration.events if e.sequence), None)
    if policy.order is Order.UNORDERED and ordered is not None:
        message = f"retries under `{_short(policy)}` break the order of events"
        help = "say `order: ordered` in the policy: later events of a key wait then"
        also = (Note(ordered.at, "an order is declared here"),)
        report.add("F320", message, at, "`order: unordered`", help, also)
    if policy.overflow is Overflow.SHED and (kept := _kept(declaration)):
        _shed(policy, at, report, (Note(kept.at, "not `delivery at_most_once`"),))


def check_commands(path: syntax.Path, policy: PolicyModel, report: Report) -> None:
    """A policy that a saga or a step names for commands."""
    if policy.overflow is Overflow.SHED:
        _shed(policy, path.at, report)


def check_once(path: syntax.Path, policy: PolicyModel, command: str, report: Report) -> None:
    """A policy that a step names for a command that is delivered at most once."""
    if policy.retry.attempts > 1:
        message = f"`{command}` is delivered at most once, and `{path.text}` tries it again"
        help = "name a policy with `retry: none`, or declare the command `at_least_once`"
        report.add("F324", message, path.at, f"{policy.retry.attempts} attempts", help)


def _kept(declaration: syntax.ServiceDecl) -> syntax.Identifier | None:
    """A message that may not be lost: every command, and events unless they say so."""
    once = Delivery.AT_MOST_ONCE.value
    kept = [c.name for c in declaration.commands]
    kept += [e.name for e in declaration.events if not e.delivery or e.delivery.text != once]
    return kept[0] if kept else None


def _shed(policy: PolicyModel, at: Span, report: Report, also: tuple[Note, ...] = ()) -> None:
    message = f"`{_short(policy)}` sheds what must be delivered"
    help = "say `overflow: block` or `buffer`: only events `delivery at_most_once` may be lost"
    report.add("F321", message, at, "`overflow: shed`", help, also)


def _short(policy: PolicyModel) -> str:
    return policy.name.rpartition(".")[2]
