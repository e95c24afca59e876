"""Services: their topics, commands and events."""

from __future__ import annotations

from datetime import timedelta

from dsl import syntax
from dsl.check.clauses import Clauses
from dsl.check.data import Data
from dsl.check.imports import offer
from dsl.check.names import Module, Symbol
from dsl.check.policies import Policies
from dsl.check.promises import check_service
from dsl.check.report import Report, did_you_mean
from dsl.check.settings import Form, Settings, call, topic_name
from dsl.diagnostic import Note
from dsl.model import (
    CommandModel,
    Compatibility,
    EventModel,
    PolicyModel,
    ServiceModel,
    TopicModel,
    WireFormat,
)
from dsl.source import Span

_TOPIC: dict[str, dict[str, type]] = {
    "topic": {"name": str, "partitions": int, "retention": timedelta}
}


class Contracts:
    """Makes the service models of all modules."""

    def __init__(self, data: Data, policies: Policies, report: Report) -> None:
        self._data = data
        self._policies = policies
        self._report = report
        self._clauses = Clauses(data, report)
        self._owners: dict[str, Span] = {}

    def declared(self, module: Module) -> tuple[ServiceModel, ...]:
        """The services that a module declares."""
        return tuple(
            self._service(s, s.declaration, module)
            for s in module.own.values()
            if isinstance(s.declaration, syntax.ServiceDecl)
        )

    def _service(
        self, symbol: Symbol, declaration: syntax.ServiceDecl, module: Module
    ) -> ServiceModel:
        settings = Settings(declaration.settings, "a service", self._report)
        name = declaration.name.text
        commands = self._topic(settings.take("commands"), f"{name}.commands", declaration)
        events = self._topic(settings.take("events"), f"{name}.events", declaration)
        format = settings.one_of("format", WireFormat) or WireFormat.JSON
        compatibility = settings.one_of("compatibility", Compatibility)
        policy = self._policy(settings.take("policy"), module)
        outside = settings.word("publisher", ("outside",)) is not None
        settings.finish()
        self._distinct(declaration)
        check_service(declaration, policy, self._report)
        return ServiceModel(
            name=symbol.name,
            commands_topic=commands,
            events_topic=events,
            format=format,
            compatibility=compatibility or Compatibility.FULL_TRANSITIVE,
            policy=policy,
            outside=outside,
            commands=tuple(
                self._command(c, symbol.name, commands.name, declaration, module, format)
                for c in declaration.commands
            ),
            events=tuple(
                EventModel(
                    name=f"{symbol.name}.{e.name.text}",
                    key=self._clauses.key(e, symbol.name),
                    topic=events.name,
                    doc=e.doc,
                    sequence=self._clauses.sequence(e, symbol.name),
                    delivery=self._clauses.delivery(e),
                    wire=format,
                )
                for e in declaration.events
            ),
            doc=declaration.doc,
        )

    def _policy(self, value: syntax.Expr | None, module: Module) -> PolicyModel | None:
        if value is None:
            return None
        if isinstance(value, syntax.Name):
            path = syntax.Path((syntax.Identifier(value.text, value.at),))
            return self._policies.find(path, module)
        message, help = "expected the name of a policy", "declare a `policy`, and write its name"
        self._report.add("F211", message, value.at, "not a name", help)
        return None

    def _topic(self, value: syntax.Expr | None, name: str, owner: syntax.ServiceDecl) -> TopicModel:
        form = call(value, _TOPIC, self._report) if value is not None else None
        form = form or Form("topic", {}, {})
        model = TopicModel(**{"name": name, **form.values})
        at = form.places.get("name", owner.name.at)
        topic_name(model.name, at, self._report)
        enough = 1 <= model.partitions <= 10_000
        form.bounded("partitions", enough, "between 1 and 10000", self._report)
        if other := self._owners.get(model.name):
            also = (Note(other, "the first one"),)
            message = f"two owners of the topic `{model.name}`"
            help = "give commands and events of each service a topic of their own"
            self._report.add("F310", message, at, "the second one", help, also)
        else:
            self._owners[model.name] = at
        return model

    def _distinct(self, declaration: syntax.ServiceDecl) -> None:
        seen: dict[str, syntax.Identifier] = {}
        for message in declaration.messages:
            name = message.name
            first = seen.setdefault(name.text, name)
            if first is not name:
                also = (Note(first.at, "the first one"),)
                text = f"`{name.text}` is declared twice"
                self._report.add("F102", text, name.at, "again", "rename one of them", also)

    def _command(
        self,
        command: syntax.CommandDecl,
        service: str,
        topic: str,
        owner: syntax.ServiceDecl,
        module: Module,
        format: WireFormat,
    ) -> CommandModel:
        if not command.replies:
            text = f"nothing answers `{command.name.text}`"
            help = "say what it `replies` when all goes well"
            self._report.add("F304", text, command.name.at, "no reply", help)
        replies = self._answers(command.replies, owner, module)
        fails = self._answers(command.fails, owner, module)
        for both in replies.keys() & fails.keys():
            also = (Note(replies[both].at, "a reply here"),)
            text = f"`{fails[both].text}` cannot be a reply and a failure"
            help = "keep one of them"
            self._report.add("F004", text, fails[both].at, "a failure here", help, also)
        return CommandModel(
            name=f"{service}.{command.name.text}",
            key=self._clauses.key(command, service),
            topic=topic,
            replies=tuple(replies),
            fails=tuple(fails),
            doc=command.doc,
            idempotency=self._clauses.idempotency(command, service),
            delivery=self._clauses.command_delivery(command),
            wire=format,
        )

    def _answers(
        self, paths: tuple[syntax.Path, ...], owner: syntax.ServiceDecl, module: Module
    ) -> dict[str, syntax.Path]:
        """Events by a bare name are the service's own; `other.Event` is another service's."""
        found: dict[str, syntax.Path] = {}
        for path in paths:
            service, home = owner, module.name
            if len(path.parts) > 1:
                symbol = self._messages_of(path, module)
                if symbol is None:
                    continue
                service, home = symbol
            name = path.parts[-1].text
            known = [e.name.text for e in service.events]
            qualified = f"{home}.{service.name.text}.{name}"
            if name not in known:
                text = f"`{service.name.text}` has no event `{name}`"
                help = did_you_mean(name, known) or f"declare `event {name} key …`"
                self._report.add("F101", text, path.parts[-1].at, "not an event of it", help)
            elif first := found.get(qualified):
                also = (Note(first.at, "said here first"),)
                text = f"a second `{path.text}`"
                self._report.add("F004", text, path.at, "said again", "keep one of them", also)
            else:
                found[qualified] = path
        return found

    def _messages_of(
        self, path: syntax.Path, module: Module
    ) -> tuple[syntax.ServiceDecl, str] | None:
        """The service that a dotted name begins with, and its module."""
        symbol = module.find(path.parts[0].text)
        if symbol and isinstance(symbol.declaration, syntax.ServiceDecl) and len(path.parts) == 2:
            return symbol.declaration, symbol.module
        services = module.names_of(syntax.ServiceDecl)
        owner = ".".join(p.text for p in path.parts[:-1])
        at = path.parts[0].at.to(path.parts[-2].at)
        found = offer(owner, syntax.ServiceDecl, module)
        help = found.help or did_you_mean(owner, services) or "import it with `from … import …`"
        message = f"no service named `{owner}`"
        self._report.add("F101", message, at, "not a service", help, fix=found.fix)
        return None
