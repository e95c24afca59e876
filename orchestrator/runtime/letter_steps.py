"""Dead letters of sagas' steps: the saga itself tries again, under the same id."""

from __future__ import annotations

from orchestrator.runtime.effects import Decision
from orchestrator.runtime.instances import Instances, UnknownInstanceError
from orchestrator.runtime.redrive import Retry
from orchestrator.runtime.wire import message_id, split_message_id
from orchestrator.store import letter_deeds
from orchestrator.store.database import Database
from orchestrator.store.letters import Letter, State


async def settle_step(database: Database, saga: str, path: str, decision: str, who: str) -> None:
    """A person has decided on a saga's step: its letters ask for nobody any more. Raises
    StoreError."""
    state = State.REDRIVEN if decision == Decision.RETRY else State.DISCARDED
    async with database.transaction() as session:
        await letter_deeds.settled_elsewhere(
            session, message_id(saga, path), state, who, f"resolved: {decision}"
        )


def retry_by(instances: Instances) -> Retry:
    """Has the saga of a letter go on where it is parked. Sent by anybody else, a command would have
    an effect that no saga knows of, and would never undo."""

    async def retry(letter: Letter) -> str | None:
        try:
            saga, path = split_message_id(letter.message_id or "")
        except ValueError:
            return "it is a step's, and does not say of which saga"
        try:
            done = await instances.resolve(saga, "retry", at=path)
        except UnknownInstanceError:
            return "its saga is no longer known"
        return None if done else "its saga does not wait at that step: it went on, or back"

    return retry
