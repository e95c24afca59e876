"""Numbers for Prometheus: what they are called, and whether they are kept at all.

Names follow OpenTelemetry's conventions for messaging as Prometheus writes them, lag those of the
usual exporters. Whoever counts asks for the meters first; there are none until `begin`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar
from weakref import WeakMethod

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

C = TypeVar("C")

#: What a consumer holds, by topic and partition: records, and their bytes.
Held = Mapping[tuple[str, int], tuple[int, int]]

_TOPIC, _GROUP = "messaging_destination_name", "messaging_consumer_group_name"

#: Seconds; from an empty handler to one that thinks.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_ALERT = ("alert", "subject")

_CONSUMER_LABELS = ("consumergroup", "topic", "partition")


class Observes(Protocol):
    """A histogram's child."""

    def observe(self, amount: float) -> None:
        """Adds seconds."""


class Counts(Protocol):
    """A counter's child."""

    def inc(self, amount: float = 1) -> None:
        """Adds some."""


class Lagging(Protocol):
    """How far a group is behind in a partition (`orchestrator.messaging.lag.Lag`)."""

    @property
    def group(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def messages(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def status(self) -> str: ...


class Meters:
    """The numbers of a process."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector
        from prometheus_client import Counter as Counted

        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counted(name: str, says: str, *labels: str) -> Counted:
            return Counted(name, says, labels, registry=registry)

        self._duration = Histogram(
            "messaging_process_duration_seconds",
            "How long records took to be handled.",
            (_GROUP, _TOPIC),
            registry=registry,
            buckets=_BUCKETS,
        )
        self._sent = counted(
            "messaging_client_sent_messages",
            "Messages that were sent, or could not be (`error_type`).",
            _TOPIC,
            "error_type",
        )
        self._failed = counted(
            "orchestrate_attempts_failed",
            "Attempts of handlers that ended with an error, declared failures aside.",
            _GROUP,
            _TOPIC,
            "error_type",
        )
        self._letters = counted(
            "orchestrate_dead_letters",
            "Messages given up, by disposition: poison, rejected, exhausted.",
            _GROUP,
            _TOPIC,
            "disposition",
        )
        self._sagas = counted(
            "orchestrate_sagas",
            "Sagas that started, and ended: completed, failed, cancelled; and parked.",
            "saga",
            "state",
        )
        self._waiting = Gauge(
            "orchestrate_waiting",
            "What waits in a service's database: outbox, refused, parked.",
            ("service", "where"),
            registry=registry,
        )
        self.sent: Mapping[str, Counts] = _Children(lambda t: self._sent.labels(t, ""))
        self._pulled = _Pulled()
        registry.register(self._pulled)

    def handling(self, group: str) -> Mapping[str, Observes]:
        """Takes the seconds of a group's records, by topic."""
        return _Children(lambda topic: self._duration.labels(group, topic))

    def unsent(self, topic: str, error: str) -> None:
        """A message that was not acknowledged."""
        self._sent.labels(topic, error).inc()

    def failed(self, group: str, topic: str, error: BaseException) -> None:
        """An attempt of a handler."""
        self._failed.labels(group, topic, type(error).__name__).inc()

    def letter(self, group: str, topic: str, disposition: str) -> None:
        """A dead letter; `topic` is where the message was read."""
        self._letters.labels(group, topic, disposition).inc()

    def saga(self, name: str, state: str) -> None:
        """A saga that started, ended or parked."""
        self._sagas.labels(name, state).inc()

    def consumer(self, group: str, held: Callable[[], Held]) -> None:
        """A consumer that is asked what it holds, as long as it lives."""
        self._pulled.consumers.append((group, WeakMethod(held)))

    def outcomes(self, name: str, counts: Counter[str]) -> None:
        """What somebody counts by itself: `orchestrate_<name>_total`, by outcome."""
        self._pulled.counts.append((name, counts))

    def lag(self, found: Iterable[Lagging]) -> None:
        """How far groups are behind, from now on."""
        self._pulled.lags = tuple(found)

    def depth(self, service: str, found: Mapping[str, int]) -> None:
        """How much waits in a service's database, and where."""
        for where, count in found.items():
            self._waiting.labels(service, where).set(count)

    def alerts(self, present: Callable[[], Iterable[tuple[str, str]]]) -> None:
        """The alerts that are there, when they are asked for: kinds and subjects."""
        self._pulled.alerts = present

    def circuit(self, name: str, state: Callable[[], int]) -> None:
        """A circuit breaker: 0 closed, 1 half open, 2 open. The worst of a name counts."""
        self._pulled.circuits.setdefault(name, []).append(state)


class _Children(dict[str, C]):
    """Children of a metric, made when they are first asked for: to look one up costs little."""

    def __init__(self, make: Callable[[str], C]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, label: str) -> C:
        made = self[label] = self._make(label)
        return made


class _Pulled:
    """What is asked for when Prometheus asks."""

    def __init__(self) -> None:
        self.consumers: list[tuple[str, WeakMethod[Callable[[], Held]]]] = []
        self.counts: list[tuple[str, Counter[str]]] = []
        self.lags: tuple[Lagging, ...] = ()
        self.circuits: dict[str, list[Callable[[], int]]] = {}
        self.alerts: Callable[[], Iterable[tuple[str, str]]] | None = None

    def collect(self) -> Iterable[Metric]:
        """See `prometheus_client`."""
        yield from self._held()
        yield from self._counted()
        yield from self._lag()
        from prometheus_client.metrics_core import GaugeMetricFamily as Gauge

        says = "Circuit breakers: 0 closed, 1 half open, 2 open."
        states = Gauge("orchestrate_circuit_state", says, labels=("circuit",))
        for name, circuits in self.circuits.items():
            states.add_metric((name,), max(state() for state in circuits))
        yield states
        if self.alerts is not None:
            alerts = Gauge("orchestrate_alert", "1 for an alert that is there.", labels=_ALERT)
            for alert in self.alerts():
                alerts.add_metric(alert, 1)
            yield alerts

    def _held(self) -> Iterable[Metric]:
        from prometheus_client.metrics_core import GaugeMetricFamily as Gauge

        labels = (_GROUP, _TOPIC, "messaging_destination_partition_id")
        says = "Records that were read and are not handled yet."
        records = Gauge("orchestrate_in_flight_messages", says, labels=labels)
        sizes = Gauge("orchestrate_in_flight_bytes", "The size of their values.", labels=labels)
        self.consumers = [(g, c) for g, c in self.consumers if c() is not None]
        for group, consumer in self.consumers:
            held = consumer()
            for (topic, partition), (count, size) in (held() if held else {}).items():
                records.add_metric((group, topic, str(partition)), count)
                sizes.add_metric((group, topic, str(partition)), size)
        yield records
        yield sizes

    def _counted(self) -> Iterable[Metric]:
        from prometheus_client.metrics_core import CounterMetricFamily

        sums: dict[str, Counter[str]] = {}
        for name, counts in self.counts:
            sums.setdefault(name, Counter()).update(counts)
        for name, total in sums.items():
            says = f"What became of the {name} that came."
            family = CounterMetricFamily(f"orchestrate_{name}", says, labels=("outcome",))
            for outcome, count in total.items():
                family.add_metric((outcome,), count)
            yield family

    def _lag(self) -> Iterable[Metric]:
        from prometheus_client.metrics_core import GaugeMetricFamily as Gauge

        labels = _CONSUMER_LABELS
        name = "kafka_consumergroup_lag"
        lag = Gauge(name, "Messages that a group has not read yet.", labels=labels)
        age = Gauge(f"{name}_seconds", "How long the oldest of them has waited.", labels=labels)
        says = "1 for what the lag means: ok, warning, error, stalled, rewound."
        status = Gauge(f"{name}_status", says, labels=(*labels, "status"))
        for each in self.lags:
            place = (each.group, each.topic, str(each.partition))
            lag.add_metric(place, each.messages)
            age.add_metric(place, each.seconds)
            status.add_metric((*place, str(each.status)), 1)
        yield from (lag, age, status)


_meters: Meters | None = None


def begin() -> Meters:
    """Keeps numbers from now on: what is made later is counted."""
    global _meters
    if _meters is None:
        _meters = Meters()
    return _meters


def end() -> None:
    """Keeps none any more; for tests, and for who serves no endpoint any longer."""
    global _meters
    _meters = None


def meters() -> Meters | None:
    """The numbers of this process; None while none are kept."""
    return _meters


def exposition(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """All numbers in the format that is asked for, and its content type."""
    from prometheus_client.exposition import choose_encoder

    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
