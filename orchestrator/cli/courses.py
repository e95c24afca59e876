"""What sagas' histories tell, in the form of what was seen of them live: exact, and complete."""

from __future__ import annotations

from dsl.model import wire_type
from orchestrator.cli.live import Board
from orchestrator.compile.plan import Plan
from orchestrator.runtime.history import Course, Entry
from orchestrator.runtime.instances import Instances
from orchestrator.runtime.watch import Followed, Seen, Sight


async def read_courses(board: Board, ids: list[str], instances: Instances, plan: Plan) -> None:
    """Fills the board from the histories of sagas that have ended."""
    fails = {wire_type(f) for c in plan.commands.values() for f in c.fails}
    board.sagas = {id: _followed((await instances.show(id)).course, fails) for id in ids}


def _followed(course: Course, fails: set[str]) -> Followed:
    found = Followed()
    for entry in course.entries:
        # A step whose outcome was unknown is sent again to learn it: the last word counts.
        sent = found.messages[entry.path].sent if entry.path in found.messages else 0
        found.messages[entry.path] = _sight(entry, fails, sent + entry.attempts)
    return found


def _sight(entry: Entry, fails: set[str], sent: int) -> Sight:
    if entry.status == "waiting":
        return Sight(Seen.SENT, sent)
    if entry.status in ("returned", "undone"):
        return Sight(Seen.ANSWERED, sent, entry.message)
    if entry.status != "answered":
        return Sight(Seen.FAILED, sent, entry.status)
    if entry.reason:
        return Sight(Seen.FAILED, sent, "not to be used")
    failed = entry.answer in fails
    return Sight(
        Seen.FAILED if failed else Seen.ANSWERED, sent, (entry.answer or "").rpartition(".")[2]
    )
