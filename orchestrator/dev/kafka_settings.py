"""The settings of the embedded broker: one node that is broker and controller, on loopback."""

from __future__ import annotations

from orchestrator.dev.ports import LOOPBACK

NODE = 1
DATA = "data"
"""The broker's data, relative to its folder, which is its working folder as well."""


def server_properties(port: int, controller_port: int) -> str:
    """The text of `server.properties`."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": NODE,
        # A static voter, read from here at each start: another port is no other cluster.
        "controller.quorum.voters": f"{NODE}@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": DATA,
        **_ONE_NODE,
        **_SMALL,
        **_QUICK,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


_ONE_NODE = {
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "auto.create.topics.enable": "false",
}

_SMALL = {
    "num.network.threads": 2,
    "num.io.threads": 4,
    "num.recovery.threads.per.data.dir": 2,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 1,
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    "log.segment.bytes": 128 * 1024 * 1024,
    "log.index.size.max.bytes": 1024 * 1024,
}

_QUICK = {
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    # After a kill, the new broker is let in when the old one's session is over: 9 s by default.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
}

LOG4J = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{yyyy-MM-dd HH:mm:ss.SSS} %-5p %c{1} %m%n%throwable{8}
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""
"""Warnings only, to standard output, which is the server's log file."""
