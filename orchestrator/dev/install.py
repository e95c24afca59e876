"""`python -m orchestrator.dev.install`: see that the embedded servers can run on this machine."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from orchestrator.dev.cache import Say
from orchestrator.dev.errors import MissingError, ServerError
from orchestrator.dev.needs import FOR_TESTS, TO_RUN, Need

_APT_LIMIT = 900  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """See to each need in turn; the exit status is 1 with `--require` where one is missing."""
    options = _parser().parse_args(arguments)
    needs = [*TO_RUN, *(FOR_TESTS if options.tests else ())]
    missing: list[Need] = []
    for need in needs:
        # What only makes the rest quicker is no use without the rest.
        if not (need.optional and missing) and not see_to(need, _say) and not need.optional:
            missing.append(need)
    return 1 if missing and options.require else 0


def see_to(need: Need, say: Say) -> bool:
    """Find it, install it where we can, say in one line what came of it; true if it is there."""
    try:
        found = need.see(say)
    except MissingError as error:
        if need.package is None or not _apt_install(need.package, say):
            say(f"{need.name}: missing: {error}")
            return False
        return see_to(Need(need.name, need.see, optional=need.optional), say)
    except ServerError as error:
        say(f"{need.name}: {error}")
        return False
    say(f"{need.name}: {found}")
    return True


def _apt_install(package: str, say: Say) -> bool:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    say(f"installing the system's package {package}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", package]
    for command in (["apt-get", "update"], install):
        try:
            done = subprocess.run(
                command, env=quiet, capture_output=True, text=True, timeout=_APT_LIMIT
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            say(f"`{' '.join(command)}` did not work: {type(error).__name__}")
            return False
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            say(f"`{' '.join(command)}` failed: {' '.join(last)}")
            return False
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.dev.install", description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also what the test suite needs")
    parser.add_argument(
        "--require", action="store_true", help="exit with status 1 where something is missing"
    )
    return parser


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
