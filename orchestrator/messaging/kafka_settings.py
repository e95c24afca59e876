"""How to reach Kafka, and how long to wait for it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any, Literal

from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from orchestrator.messaging.bus import AwayError, BusError, UndeliverableError

#: A login that is wrong or may not do this; trying again does not help.
NOT_ALLOWED = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """`bootstrap` is `host:port`, or several with commas. Times are seconds: `connect_limit` until
    a broker that does not answer is an error, `publish_limit` until a record that is not
    acknowledged is (a broker's restart should fit in), `session_timeout` until a dead reader's
    partitions go to others. The password is never shown."""

    bootstrap: str
    client_id: str = "orchestrate"
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_user: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    connect_limit: float = 5.0
    publish_limit: float = 15.0
    session_timeout: float = 6.0
    replication: int | None = None

    def options(self, role: str) -> dict[str, Any]:
        """What every aiokafka client is given; `role` ends its client id."""
        options: dict[str, Any] = {
            "bootstrap_servers": [b.strip() for b in self.bootstrap.split(",")],
            "client_id": f"{self.client_id}-{role}",
            "security_protocol": self._protocol,
            "ssl_context": self.tls,
            # New partitions of a topic are noticed within this time.
            "metadata_max_age_ms": 60_000,
        }
        if self.sasl_user is not None:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_user
            options["sasl_plain_password"] = self.sasl_password
        return options

    @property
    def _protocol(self) -> str:
        transport = "PLAINTEXT" if self.tls is None else "SSL"
        return transport if self.sasl_user is None else f"SASL_{transport}"

    def unreachable(self) -> AwayError:
        """The error for a broker that does not answer."""
        login = "" if self.sasl_user is None else " Does it take this login?"
        return AwayError(
            f"Kafka does not answer at `{self.bootstrap}`: is it running?{login} "
            "Start it (`orchestrate dev` brings one) or correct the bootstrap address"
        )

    def no_address(self) -> BusError:
        """The error for a bootstrap address that cannot be read."""
        return BusError(
            f"`{self.bootstrap}` is no address of Kafka: it is `host:port`, or several with commas"
        )

    def refused(self, what: str, error: BaseException) -> BusError:
        """The error for what the broker answers with one; `what` was tried."""
        reason = str(error) or type(error).__name__
        return BusError(f"Kafka at `{self.bootstrap}` refused {what}: {reason[:300]}")

    def no_topic(self, topic: str) -> UndeliverableError:
        """The error for a topic that is not there."""
        return UndeliverableError(
            f"no topic `{topic}` on Kafka at `{self.bootstrap}`: `orchestrate deploy` creates it"
        )
