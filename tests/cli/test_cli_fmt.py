"""`orchestrate fmt`."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.cli.program import PROGRAM, REPOSITORY, Cli, environment

UNTIDY = "module   m\r\nrecord R {a: string // why\r\n}\r\n"
TIDY = "module m\nrecord R {\n  a: string // why\n}\n"
WRONG = "module m\nrecord R { a strin }\n"


def test_a_file_is_rewritten_in_place(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """An untidy file is replaced and named, keeps its permissions, and is tidy the next time."""
    path = write("m.flow", "")
    path.write_bytes(b"\xef\xbb\xbf" + UNTIDY.encode())
    path.chmod(0o640)
    done = cli.call("fmt", path)
    assert (done.code, done.err) == (0, "")
    assert f"formatted: {path}\n1 file formatted, 0 files already in form\n" == done.out
    assert path.read_bytes() == TIDY.encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert cli.call("fmt", path).out == "0 files formatted, 1 file already in form\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_link_stays_a_link(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """A link to a file is formatted where the file is."""
    path = write("m.flow", UNTIDY)
    link = cli.cwd / "link.flow"
    link.symlink_to(path)
    assert cli.call("fmt", link).code == 0
    assert link.is_symlink()
    assert path.read_text() == TIDY


def test_what_would_change_is_shown(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """With --check and --diff nothing is written, and the exit status is 1 for an untidy file."""
    path = write("m.flow", UNTIDY.replace("\r", ""))
    check = cli.call("fmt", path, "--check")
    assert (check.code, check.out.splitlines()[0]) == (1, f"would be formatted: {path}")
    diff = cli.call("fmt", path, "--diff")
    assert diff.code == 1
    assert "-module   m\n" in diff.out and "+module m\n" in diff.out
    assert path.read_text() == UNTIDY.replace("\r", "")
    found = cli.call("fmt", path, "--check", "--json")
    assert (found.code, found.json["ok"]) == (1, False)
    assert found.json["files"] == [
        {"path": path.as_posix(), "changed": True, "diagnostics": []},
    ]


def test_a_file_with_a_mistake_is_left_alone(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """A syntax error is shown with its place; the other files are formatted all the same."""
    wrong, other = write("a.flow", WRONG), write("b.flow", UNTIDY)
    unreadable = write("c.flow", "")
    unreadable.write_bytes(b"\xff")
    done = cli.call("fmt", wrong, other, unreadable)
    assert done.code == 1
    assert "error[F001]" in done.err and "error[F005]" in done.err
    assert done.out.endswith("1 file formatted, 0 files already in form, 2 files left alone\n")
    assert (wrong.read_text(), other.read_text()) == (WRONG, TIDY)


def test_standard_input(cli: Cli) -> None:
    """A text on standard input goes formatted to standard output, or nothing and the reason."""

    def run(text: str, *options: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*PROGRAM, "fmt", "-", *options],
            cwd=cli.cwd,
            env=environment(cli.data),
            input=text.encode(),
            capture_output=True,
        )

    done = run(UNTIDY)
    assert (done.returncode, done.stdout, done.stderr) == (0, TIDY.encode(), b"")
    wrong = run(WRONG)
    assert (wrong.returncode, wrong.stdout) == (1, b"")
    assert b"<stdin>:2:14" in wrong.stderr
    assert run(UNTIDY, "--check").returncode == 1
    assert run(TIDY, "--check").returncode == 0


def test_the_flows_of_this_repository_are_in_form(cli: Cli) -> None:
    """What we show, we have formatted."""
    done = cli.call("fmt", REPOSITORY / "flows", "--check")
    assert (done.code, done.err) == (0, ""), done.out
