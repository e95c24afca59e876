"""The order saga as a good Temporal developer writes it by hand.

A plain activity publishes each command, a signal brings its answer, a timeout waits for it. It
lacks the flow's `within` and dead letters, to the reference's favour.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from decimal import Decimal

    from tests.bench.saga.reference_messages import (
        COURIER,
        STANDARD,
        Line,
        Message,
        Order,
        Policy,
        Receipt,
        Reply,
    )

PUBLISH_LIMIT = timedelta(seconds=30)


class StepFailedError(Exception):
    """A step without a good answer."""


@workflow.defn
class PlaceOrder:
    """Reserve, charge, ship, notify; undo what was done when a step fails."""

    def __init__(self) -> None:
        self._replies: dict[str, Reply] = {}
        self._undos: list[Callable[[], Awaitable[Any]]] = []

    @workflow.signal
    def reply(self, reply: Reply) -> None:
        """An answer came; one that came before is kept."""
        self._replies.setdefault(reply.command_id, reply)

    @workflow.run
    async def run(self, order: Order) -> Receipt:
        """The saga."""
        try:
            return await self._place(order)
        except StepFailedError as failed:
            for undo in reversed(self._undos):
                await undo()
            raise ApplicationError(str(failed), type="SagaFailed", non_retryable=True) from failed

    async def _place(self, order: Order) -> Receipt:
        id, lines = order.order_id, [_wire(line) for line in order.lines]
        total = str(sum(Decimal(line.price) * line.quantity for line in order.lines))

        stock = await self._step(
            "stock", "inventory.ReserveStock", {"order_id": id, "lines": lines}
        )
        release = {"order_id": id, "reservation_id": stock["reservation_id"]}
        self._undos.append(partial(self._step, "stock:undo", "inventory.ReleaseStock", release))

        charge = {"order_id": id, "card": order.card, "amount": total}
        payment = await self._step("payment", "payments.ChargeCard", charge)
        refund = {"order_id": id, "payment_id": payment["payment_id"]}
        self._undos.append(partial(self._step, "payment:undo", "payments.RefundCard", refund))

        cancel = {"order_id": id}
        # Before the step: when it times out, nobody knows whether the parcel left.
        self._undos.append(
            partial(self._step, "parcel:undo", "shipping.CancelShipment", cancel, COURIER)
        )
        ship = {"order_id": id, "address": order.address, "lines": lines}
        parcel = await self._step("parcel", "shipping.Ship", ship, COURIER)

        text = f"Your parcel {parcel['tracking']} is on its way."
        notice = {"order_id": id, "customer_id": order.customer_id, "text": text}
        try:
            await self._step("notice", "notifications.Notify", notice)
        except StepFailedError:
            workflow.logger.warning("customer not told")

        placed = {"order_id": id, "customer_id": order.customer_id, "total": total}
        await self._publish("placed", "orders.OrderPlaced", "orders.events", placed)
        return Receipt(id, total, parcel["tracking"])

    async def _step(
        self, name: str, type: str, data: dict[str, Any], policy: Policy = STANDARD
    ) -> dict[str, Any]:
        topic = f"{type.partition('.')[0]}.commands"
        wait = policy.wait
        for attempt in range(policy.attempts):
            if attempt:
                await workflow.sleep(wait)
                wait *= policy.factor
            id = await self._publish(name, type, topic, data)
            try:
                await workflow.wait_condition(
                    lambda: id in self._replies,  # noqa: B023
                    timeout=timedelta(seconds=policy.timeout),
                )
            except TimeoutError:
                continue
            answer = self._replies[id]
            if answer.type in ("inventory.OutOfStock", "payments.CardDeclined"):
                raise StepFailedError(f"{type} failed: {answer.type}")
            return answer.data
        raise StepFailedError(f"{type} failed: no answer in {policy.attempts} attempts")

    async def _publish(self, name: str, type: str, topic: str, data: dict[str, Any]) -> str:
        """The message's id: the same at every attempt."""
        workflow_id = workflow.info().workflow_id
        message = Message(f"{workflow_id}#{name}", type, topic, data["order_id"], data, workflow_id)
        await workflow.execute_activity("publish", message, start_to_close_timeout=PUBLISH_LIMIT)
        return message.id


def _wire(line: Line) -> dict[str, Any]:
    return {"sku": line.sku, "quantity": line.quantity, "price": line.price}
