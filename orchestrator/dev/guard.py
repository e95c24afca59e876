"""Guardian of one server process: it ends the server when the process that wanted it is gone.

Run as a script by `process.py`, with the standard library only, so that it costs little. Its
standard input is a pipe that nobody writes to: the system closes it when the owner ends, however
that happens. It prints one line, `started PID` or `failed REASON`, and ends with the server.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_OWNER_CHECK = 1.0  # seconds; a fork of the owner may hold the pipe open after the owner's death


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--signal", type=int, required=True)
    parser.add_argument("--grace", type=float, required=True)
    parser.add_argument("--user")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args()


def _die_with_guard() -> Callable[[], None] | None:
    """What the child runs before exec, so that it never outlives even a killed guardian.

    The kernel sends the signal when the *thread* that forked ends; this process has one thread,
    which is also why running Python between fork and exec is safe here.
    """
    if sys.platform != "linux":
        return None
    libc, guard = ctypes.CDLL(None), os.getpid()

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != guard:
            os._exit(1)

    return arm


def _spawn(options: argparse.Namespace) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in the terminal reaches the owner alone, which stops us in order.
    with Path(options.log).open("ab") as log:
        return subprocess.Popen(
            options.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=options.user,
            group=_group(options.user),
            extra_groups=None if options.user is None else [],
            preexec_fn=_die_with_guard(),
        )


def _group(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd

    return pwd.getpwnam(user).pw_gid


def _wait(server: subprocess.Popen[bytes], wake: int, asked: list[int]) -> None:
    """Return when the server ended, the owner is gone, or somebody asks us to stop."""
    owner = os.getppid()
    while server.poll() is None and not asked and os.getppid() == owner:
        readable, _, _ = select.select([0, wake], [], [], _OWNER_CHECK)
        if 0 in readable and not os.read(0, 1):
            return
        if wake in readable:
            os.read(wake, 64)


def _end(server: subprocess.Popen[bytes], number: int, grace: float) -> None:
    for each, limit in ((number, grace), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, each)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(limit)
            return


def main() -> int:
    """Run the command of the arguments until it ends or is to end; its exit status is ours."""
    options = _options()
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        # Handlers rather than SIG_IGN, which the server would inherit.
        signal.signal(ignored, lambda *_: None)
    try:
        server = _spawn(options)
    except (OSError, LookupError, subprocess.SubprocessError) as error:
        print("failed", error, flush=True)
        return 127
    with contextlib.suppress(BrokenPipeError):
        print("started", server.pid, flush=True)
    _wait(server, wake, asked)
    if server.poll() is None:
        _end(server, options.signal, options.grace)
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


if __name__ == "__main__":
    sys.exit(main())
