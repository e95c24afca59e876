"""A service's contract, from its flow files."""

from __future__ import annotations

from pathlib import Path

from dsl.diagnostic import has_errors
from dsl.load import load
from dsl.model import CommandModel, EventModel, Program, ServiceModel, wire_type
from dsl.render import to_text
from orchestrator.service.errors import ServiceError


def read_program(service: str, flow: str | Path) -> Program:
    """The checked program in a `.flow` file or a folder of them. Raises ServiceError."""
    path = Path(flow)
    try:
        loaded = load([path])
    except FileNotFoundError as error:
        raise ServiceError(
            f"service `{service}`: {error} (looked for it at {path.absolute()}; "
            "`Path(__file__).parent` is the folder of your own file)"
        ) from None
    if loaded.program is None:
        errors = [to_text(d) for d in loaded.diagnostics if has_errors([d])]
        raise ServiceError(f"service `{service}`: {flow} has errors\n\n" + "\n".join(errors))
    return loaded.program


def find_service(program: Program, name: str) -> tuple[str, ServiceModel]:
    """The module and model of a service, by its name or `module.name`. Raises ServiceError."""
    found = [
        (module.name, service)
        for module in program.modules.values()
        for service in module.services
        if name in (service.name.rsplit(".", 1)[-1], f"{module.name}.{service.name}", service.name)
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        names = sorted(
            s.name.rsplit(".", 1)[-1] for m in program.modules.values() for s in m.services
        )
        raise ServiceError(
            f"no service `{name}` in the flow: it declares {_listed(names) or 'none'}"
        )
    modules = _listed(module for module, _ in found)
    raise ServiceError(f"service `{name}` is declared in {modules}: name it as `module.{name}`")


def find_command(service: str, model: ServiceModel, name: str) -> CommandModel:
    """A command of the service by its simple name. Raises ServiceError."""
    for command in model.commands:
        if simple(command.name) == name:
            return command
    names = _listed(simple(c.name) for c in model.commands)
    raise ServiceError(f"service `{service}` has no command `{name}`: it has {names or 'none'}")


def find_event(service: str, program: Program, own: ServiceModel, name: str) -> EventModel:
    """An event by `Event` (its own before others'), `service.Event` or `module.service.Event`.
    Raises ServiceError."""
    events = [e for m in program.modules.values() for s in m.services for e in s.events]
    mine = [e for e in own.events if simple(e.name) == name]
    found = mine or [e for e in events if f".{e.name}".endswith(f".{name}")]
    if len(found) == 1:
        return found[0]
    if not found:
        names = _listed(sorted(wire_type(e.name) for e in events))
        raise ServiceError(f"service `{service}`: no event `{name}`: there are {names or 'none'}")
    names = _listed(e.name for e in found)
    raise ServiceError(f"service `{service}`: `{name}` is {names}: name one of them in full")


def simple(qualified: str) -> str:
    """The last part of a qualified name."""
    return qualified.rsplit(".", 1)[-1]


def _listed(names: object) -> str:
    return ", ".join(f"`{name}`" for name in names)  # type: ignore[attr-defined]
