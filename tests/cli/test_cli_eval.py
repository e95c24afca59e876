"""`orchestrate eval`: one expression, lines that are typed, lines of JSON."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.program import PROGRAM, Cli, environment


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["1 + 1"], "2 : int\n"),
        (["-7 / 2"], "-3 : int\n"),
        (["-x", "--vars", '{"x": 1.5}'], "-1.5 : float\n"),
        (["--vars", '{"h": 1}', "-h + 1"], "0 : int\n"),
        (["--", "-1"], "-1 : int\n"),
        (["'ß'"], '"ß" : string\n'),
        (["1m30s"], '"90s" : duration\n'),
        (["n", "--vars", '{"n": 1e2}', "--json"], '{"value": 100.0, "type": "float"}\n'),
        (["1 == 1.0", "--no-check"], "true : bool\n"),
    ],
)
def test_an_expression(cli: Cli, arguments: list[str], out: str) -> None:
    """The value as JSON and its type."""
    done = cli.call("eval", *arguments)
    assert (done.code, done.out, done.err) == (0, out, "")


def test_variables_from_elsewhere(cli: Cli) -> None:
    """Variables come from a file or from standard input, too."""
    (cli.cwd / "v.json").write_text('{"a": {"b": [1, 2]}}')
    assert cli.call("eval", "a.b[1]", "--vars", f"@{cli.cwd / 'v.json'}").out == "2 : int\n"
    assert cli.call("eval", "a", "--vars", "-", stdin='{"a": 5}').out == "5 : int\n"


def test_an_error_is_one_sentence(cli: Cli) -> None:
    """CEL's error, and what is wrong with the variables, is one sentence and status 1."""
    assert cli.call("eval", "1 / 0").refused() == "divide by zero"
    assert "does not fit" in cli.call("eval", "n", "--vars", '{"n": 9223372036854775808}').refused()
    assert "not JSON" in cli.call("eval", "n", "--vars", "{").refused()
    assert "not a JSON object" in cli.call("eval", "n", "--vars", "[]").refused()
    assert "no-such.json" in cli.call("eval", "n", "--vars", "@no-such.json").refused()


def test_a_name_without_a_value(cli: Cli) -> None:
    """The help says how a name gets one here."""
    assert "help: give it by `--vars`" in cli.call("eval", "nobody").err


@pytest.mark.parametrize(("text", "place"), [("1 + * 2", "expression:1:5"), ("size(5)", ":1:6")])
def test_a_finding_shows_its_place(cli: Cli, text: str, place: str) -> None:
    """Syntax and type errors are shown with carets."""
    done = cli.call("eval", text)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error[F") and place in done.err and "^" in done.err


def test_an_error_as_json(cli: Cli) -> None:
    """With --json an error is an object on standard output, and still status 1."""
    done = cli.call("eval", "1 / 0", "--json")
    assert (done.code, done.out, done.err) == (1, '{"error": "divide by zero"}\n', "")
    assert list(cli.call("eval", "1 +", "--json").json) == ["error"]


@pytest.mark.parametrize(
    "arguments", [["--jsonl", "1"], ["--vars", "-"], ["1", "2"], ["--colour"], ["--jsonl", "--x"]]
)
def test_a_wrong_call(cli: Cli, arguments: list[str]) -> None:
    """What cannot be meant is status 2 with the usage."""
    done = cli.call("eval", *arguments)
    assert (done.code, done.out) == (2, "") and "Usage: " in done.err


LINES = [
    (b'{"expr": "1 + x", "vars": {"x": 2}}', {"value": 3, "type": "int"}),
    (b'{"expr": "c + 1", "other": []}', {"value": 11, "type": "int"}),
    (b'{"expr": "c", "vars": {"c": "mine"}}', {"value": "mine", "type": "string"}),
    (b'{"expr": "1", "vars": null}', {"value": 1, "type": "int"}),
    (b'{"expr": "1 == 1.0"}\r', {"value": True, "type": "bool"}),
    (b'{"expr": "1 / 0"}', {"error": "divide by zero"}),
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b"[]", "not an object"),
    (b'{"expr": 5}', "not an object"),
    (b'{"vars": {}}', "not an object"),
    (b'{"expr": "1", "vars": []}', "not a JSON object"),
    (b'{"expr": "1", "vars": {"n": NaN}}', "not JSON"),
    (b'{"expr": "n", "vars": {"n": 1e999}}', "64-bit float"),
    (b'{"expr": "n", "vars": {"n": ' + b"9" * 5000 + b"}}", "not JSON"),
    (b'{"expr": "n", "vars": {"n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "too deeply"),
    (b'{"expr": "' + b"(" * 100_000 + b'"}', "ends too early"),
    (b'{"expr": "' + b"-(" * 50_000 + b"1" + b")" * 50_000 + b'"}', "too deeply"),
    (b'{"expr": "\xff"}', "not UTF-8"),
    (b'{"expr": "\\"\\ud800\\""}', "half a character"),
    (b"\x00\x01\x02", "not JSON"),
    (b'{"expr": "\\u0000"}', "unexpected"),
    (b'{"expr": "\'last\'"}', {"value": "last", "type": "string"}),
]


def test_lines_of_json(cli: Cli) -> None:
    """Every line has its answer, whatever it holds, and the next goes on; the last needs no end."""
    given = b"\n".join(line for line, _ in LINES)
    done = cli.run("eval", "--jsonl", "--vars", '{"c": 10}', stdin=given)
    assert (done.code, done.err) == (0, "")
    answers = [json.loads(line) for line in done.out.split("\n")[:-1]]
    assert len(answers) == len(LINES)
    for (line, wanted), found in zip(LINES, answers, strict=True):
        if isinstance(wanted, str):
            assert list(found) == ["error"] and wanted in found["error"], line[:80]
        else:
            assert found == wanted


def test_lines_are_typed_when_asked(cli: Cli) -> None:
    """With --check a line is typed first, as a flow is."""
    found = cli.call("eval", "--jsonl", "--check", stdin='{"expr": "1 == 1.0"}\n').json
    assert found == {"error": "`==` does not take `int` and `float`"}


def test_answers_stream(cli: Cli) -> None:
    """A line is answered before the next one is there."""
    with subprocess.Popen(
        [*PROGRAM, "eval", "--jsonl"],
        env=environment(cli.data),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout
        for n in range(3):
            process.stdin.write(b'{"expr": "%d + 1"}\n' % n)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["value"] == n + 1
        process.stdin.close()
        assert process.wait(20) == 0


def test_a_reader_that_leaves(cli: Cli) -> None:
    """`| head` ends it without a traceback."""
    with subprocess.Popen(
        [*PROGRAM, "eval", "--jsonl"],
        env=environment(cli.data),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.close()
        _, said = process.communicate(b'{"expr": "1"}\n' * 1000, timeout=30)
        assert b"Traceback" not in said


def test_lines_from_a_pipe(cli: Cli) -> None:
    """Without an expression, lines are evaluated one by one; an error ends nothing."""
    done = cli.call("eval", "--vars", '{"x": 4}', stdin="x + 1\n\n1 / 0\nx +\n'end'\n")
    assert (done.code, done.out) == (0, '5 : int\n"end" : string\n')
    assert "error: divide by zero" in done.err and "error[F001]" in done.err


class Terminal:
    """The program at a terminal."""

    def __init__(self, cli: Cli) -> None:
        self._screen, end = pty.openpty()
        self.process = subprocess.Popen(
            [*PROGRAM, "eval"],
            env=environment(cli.data, {"TERM": "dumb"}),
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
            preexec_fn=_own_the_terminal,
        )
        os.close(end)
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def until(self, text: str) -> None:
        """Reads on until this stands there."""
        end = time.monotonic() + 30
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self._screen], [], [], 0.1)[0]:
                self.seen += os.read(self._screen, 4096).decode()
        self.seen = self.seen.partition(text)[2]


def _own_the_terminal() -> None:
    """Makes standard input the session's terminal, so that Ctrl-C is a signal."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_at_a_terminal(cli: Cli) -> None:
    """Values appear under their lines; the arrow recalls one, Ctrl-C forgets one, Ctrl-D ends."""
    terminal = Terminal(cli)
    terminal.until("> ")
    terminal.type("20 + 1\r")
    terminal.until("21 : int")
    terminal.until("> ")
    terminal.type("\x1b[A0\r")  # the line before, with a digit more
    terminal.until("30 : int")
    terminal.until("> ")
    terminal.type("this is nothing")
    terminal.until("nothing")
    time.sleep(0.3)  # CPython notices a Ctrl-C amid the keys only with the next one
    terminal.type("\x03")
    terminal.until("> ")
    terminal.type("1 / 0\r")
    terminal.until("error: divide by zero")
    terminal.until("> ")
    terminal.type("[1,\r")
    terminal.until("... ")
    terminal.type("2].sum()\r")  # goes on where it is not complete
    terminal.until("3 : int")
    terminal.until("> ")
    terminal.type("1 +\r")
    terminal.until("... ")
    terminal.type("\r")  # an empty line says that no more comes
    terminal.until("ends too early")
    terminal.until("> ")
    terminal.type("\x04")
    assert terminal.process.wait(20) == 0


def test_it_starts_without_servers(cli: Cli) -> None:
    """No server's client is loaded for an expression."""
    code = (
        "import sys; from orchestrator.cli.app import app\n"
        "try: app(['eval', '1 + 1'])\n"
        "finally: print(*sorted(m for m in sys.modules if '.' not in m), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(cli.data),
        cwd=Path(cli.cwd),
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"temporalio", "aiokafka", "sqlalchemy", "structlog", "pydantic_settings", "asyncio"}
    assert heavy & set(done.stderr.split()) == set()
