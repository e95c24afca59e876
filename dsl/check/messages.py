"""Finds the commands and events that a saga names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsl import syntax
from dsl.check.imports import offer
from dsl.check.names import Module
from dsl.check.report import Report, did_you_mean
from dsl.model import CommandModel, EventModel, ServiceModel
from dsl.suggestion import Suggestion, one_of


class Messages:
    """All contracts, by the names that statements use."""

    def __init__(self, services: Iterable[ServiceModel], report: Report) -> None:
        self._services = {s.name: s for s in services}
        self._report = report
        self.commands = {c.name: c for s in self._services.values() for c in s.commands}
        self.events = {e.name: e for s in self._services.values() for e in s.events}

        #: Events that need no `emit`: a participant or somebody outside may publish them.
        self.published = frozenset(self._published())

    def _published(self) -> Iterator[str]:
        for service in self._services.values():
            if service.commands or service.outside:
                yield from (e.name for e in service.events)
            for command in service.commands:
                yield from (*command.replies, *command.fails)

    def service_of(self, message: str) -> ServiceModel:
        """The service that owns a message. Raises KeyError."""
        return self._services[message.rpartition(".")[0]]

    def command(self, path: syntax.Path, module: Module) -> CommandModel | None:
        """`service.Command`; None, with a diagnostic, where there is none."""
        name = self._qualified(path, module, "command", self.commands)
        return self.commands[name] if name else None

    def known_command(self, path: syntax.Path, module: Module) -> CommandModel | None:
        """The same without a diagnostic, for what is reported elsewhere."""
        symbol = module.find(path.parts[0].text)
        return self.commands.get(f"{symbol.name}.{path.parts[-1].text}") if symbol else None

    def event(self, path: syntax.Path, module: Module) -> EventModel | None:
        """`service.Event`; None, with a diagnostic, where there is none."""
        name = self._qualified(path, module, "event", self.events)
        return self.events[name] if name else None

    def sent(self, path: syntax.Path, module: Module) -> str | None:
        """The qualified name of a command or an event; None, with a diagnostic, where there is
        neither."""
        return self._qualified(path, module, "message", (*self.commands, *self.events))

    def some_event(self, name: str) -> bool:
        """Whether any service has an event of this name."""
        return any(e.rpartition(".")[2] == name for e in self.events)

    def known_event(self, path: syntax.Path, module: Module) -> EventModel | None:
        """The same without a diagnostic, for what is reported elsewhere."""
        symbol = module.find(path.parts[0].text) if len(path.parts) == 2 else None
        return self.events.get(f"{symbol.name}.{path.parts[-1].text}") if symbol else None

    def _qualified(
        self, path: syntax.Path, module: Module, what: str, known: Iterable[str]
    ) -> str | None:
        known = list(known)
        if len(path.parts) == 1:
            owner = self._owner(path.text, known)
            text = path.text
            help = Suggestion(text, f"{owner}.{text}") if owner else f"write `service.{text}`"
            message = f"no {what} named `{path.text}`"
            self._report.add("F101", message, path.at, "no service is named", help)
            return None
        first, last = path.parts[0], path.parts[-1]
        symbol = module.find(first.text)
        if len(path.parts) > 2 or symbol is None:
            services = module.names_of(syntax.ServiceDecl)
            message = f"no service named `{'.'.join(p.text for p in path.parts[:-1])}`"
            found = offer(first.text, syntax.ServiceDecl, module)
            help = found.help or did_you_mean(first.text, services)
            help = help or "import it with `from … import …`"
            at = first.at.to(path.parts[-2].at)
            self._report.add("F101", message, at, "not a service", help, fix=found.fix)
            return None
        if not isinstance(symbol.declaration, syntax.ServiceDecl):
            help = f"{what}s belong to a service: write `service.{last.text}`"
            message = f"`{first.text}` is not a service"
            self._report.add("F101", message, first.at, "declared as something else", help)
            return None
        name = f"{symbol.name}.{last.text}"
        if name in known:
            return name
        others = [k.rpartition(".")[2] for k in known if k.rpartition(".")[0] == symbol.name]
        message = f"`{first.text}` has no {what} `{last.text}`"
        help = did_you_mean(last.text, others) or one_of(others, "declare it there")
        label = f"not {'an' if what == 'event' else 'a'} {what} of it"
        self._report.add("F101", message, last.at, label, help)
        return None

    def _owner(self, name: str, known: Iterable[str]) -> str | None:
        owners = [k.split(".")[-2] for k in known if k.rpartition(".")[2] == name]
        return owners[0] if len(owners) == 1 else None
