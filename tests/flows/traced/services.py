"""Opens and shuts, and signs nothing."""

from pathlib import Path

from orchestrator.service import Service

desk = Service("desk", flow=Path(__file__).parent)


@desk.handles("Open")
async def opening(command, context):
    context.publish(desk.messages.Opened(id=command.id))
    return desk.messages.Opened(id=command.id)


@desk.handles("Shut")
async def shutting(command):
    return desk.messages.Closed(id=command.id)


@desk.handles("Sign")
async def sign(command):
    raise desk.failures.Refused(id=command.id, why="nobody signs here")
