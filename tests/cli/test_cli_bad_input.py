"""What is wrong with what a command is given is one clear sentence, or findings with their place,
and exit status 1; never a traceback, never a wait without an end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import Cli, environment

OK = "module a\nsaga S(id: string) key id { }\n"
#: Commands that read flows, with what they need besides.
READERS = ("check", "fmt", "test", "diagram", "deploy", "dev")


@pytest.fixture
def folder(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with files that cannot be what they are named for."""
    monkeypatch.chdir(cli.cwd)
    (cli.cwd / "ok.flow").write_text(OK)
    (cli.cwd / "broken.flow").write_text("module a saga {")
    (cli.cwd / "bytes.flow").write_bytes(b"module a\n// \xff\n")
    (cli.cwd / "broken.json").write_text("{x")
    (cli.cwd / "bytes.json").write_bytes(b"\xff")
    (cli.cwd / "list.json").write_text("[1]")
    (cli.cwd / "empty.flow").mkdir()
    (cli.cwd / "gone.flow").symlink_to("nowhere.flow")
    return cli.cwd


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere.flow", "there is no nowhere.flow: name a .flow file or a folder of them"),
        ("gone.flow", "there is no gone.flow: name a .flow file or a folder of them"),
        ("empty.flow", "there is no .flow file in empty.flow"),
    ],
)
def test_flows_that_are_not_there(
    cli: Cli, folder: Path, command: str, path: str, said: str
) -> None:
    """A path that is no file, and a folder without one, are named in one sentence."""
    assert cli.call(command, path).refused() == said


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize(("path", "code"), [("broken.flow", "F001"), ("bytes.flow", "F005")])
def test_flows_that_cannot_be_read(
    cli: Cli, folder: Path, command: str, path: str, code: str
) -> None:
    """A file with a mistake, and one that is no text, is shown with the finding's code."""
    done = cli.call(command, path)
    assert done.code == 1
    assert f"error[{code}]" in done.out + done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["check", "fmt"])
def test_a_file_without_an_end(cli: Cli, folder: Path, command: str) -> None:
    """What is larger than any flow is a finding, and is not read to its end."""
    done = cli.call(command, "/dev/zero")
    assert done.code == 1 and "this file is larger than 4 MiB" in done.out + done.err


def test_the_others_are_formatted_beside_one_that_cannot_be_read(cli: Cli, folder: Path) -> None:
    """`fmt` leaves alone what it cannot read, says so, and does the rest."""
    done = cli.call("fmt", ".")
    assert done.code == 1 and done.err.count("error[F005]") == 3
    assert "1 file already in form" in done.out and "4 files left alone" in done.out


def test_the_version(cli: Cli) -> None:
    """`--version` says which one this is."""
    assert cli.call("--version").out.startswith("orchestrate ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(cli: Cli, folder: Path) -> None:
    """A file without the right to read it is a finding that says what the system says."""
    (folder / "ok.flow").chmod(0)
    done = cli.call("check", "ok.flow")
    assert done.code == 1 and "ermission denied" in done.out


@pytest.mark.parametrize("arguments", [("check", "a.flow"), ("fmt", "a.flow"), ("service", "a.py")])
def test_a_folder_that_may_not_be_entered(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, str]
) -> None:
    """What the system does not even tell of is said to be unreadable; newer Pythons say that it is
    not there."""
    stat = Path.stat

    def refused(path: Path, **more: bool) -> os.stat_result:
        if path.name == arguments[1]:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **more)

    monkeypatch.setattr(Path, "stat", refused)
    done = cli.call(*arguments)
    said = done.out + done.err
    assert done.code == 1 and ("cannot be read" in said or "there is no" in said)


@pytest.mark.parametrize("command", ["check", "fmt"])
def test_a_pipe_among_flows_is_passed_over(cli: Cli, folder: Path, command: str) -> None:
    """A pipe that is named like a flow is not waited for."""
    for name in ("broken.flow", "bytes.flow", "gone.flow"):
        (folder / name).unlink()
    (folder / "empty.flow").rmdir()
    os.mkfifo(folder / "pipe.flow")
    assert cli.call(command, ".").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("eval", "a", "--vars", "{x"), "--vars is not JSON"),
        (("eval", "a", "--vars", "@nowhere.json"), "nowhere.json cannot be read"),
        (("eval", "a", "--vars", "@empty.flow"), "empty.flow cannot be read"),
        (("eval", "a", "--vars", "@broken.json"), "broken.json is not JSON"),
        (("eval", "a", "--vars", "@bytes.json"), "bytes.json is not UTF-8"),
        (("eval", "a", "--vars", "@list.json"), "not a JSON object"),
        (("start", "S", "--input", "{x"), "--input is not JSON"),
        (("start", "S", "--input", "@empty.flow"), "empty.flow cannot be read"),
        (("signal", "S/1", "A", "--input", "@nowhere.json"), "nowhere.json cannot be read"),
        (("update", "S/1", "U", "--input", "@bytes.json"), "bytes.json is not UTF-8"),
        (("dev", "ok.flow", "--run", "nowhere.json"), "nowhere.json cannot be read"),
        (("dev", "ok.flow", "--run", "broken.json"), "broken.json is not JSON"),
        (("dev", "ok.flow", "--run", "bytes.json"), "bytes.json is not UTF-8"),
        (("service", "nowhere.py"), "there is no nowhere.py"),
        (("service", "empty.flow"), "empty.flow is a folder"),
        (("service", "ok.flow"), "is not a Python file"),
        (("diagram", "ok.flow", "-o", "empty.flow"), "empty.flow cannot be written"),
        (("diagram", "ok.flow", "-o", "no/such.svg"), "such.svg cannot be written"),
        (("diagram", "ok.flow", "--saga", "Nope"), "declares no saga `Nope`, it declares `S`"),
        (("test", "ok.flow"), "no scenario in ok.flow"),
        (("eval", "n", "--vars", '{"n": ' + "9" * 5000 + "}"), "a number has 5000 digits"),
        (("list", "--env", "nope"), "no environment `nope`"),
        (("cancel", "S/1", "--json"), "no Temporal to talk to"),
    ],
)
def test_one_sentence(cli: Cli, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    """Whatever else is wrong is one sentence on standard error, and nothing on the other."""
    assert said in cli.call(*arguments).refused()


def test_an_expression_that_ends_too_early(cli: Cli) -> None:
    """Where a value is missing the help says so."""
    done = cli.call("eval", "1 +")
    assert done.code == 1 and "a value is expected" in done.out + done.err


def test_lines_that_are_no_requests(cli: Cli) -> None:
    """`eval --jsonl` answers each line, whatever it is, in its place."""
    lines = b'{x\n[]\n{"expr": 1}\n\xff\n{"expr": "1 + 1"}\n'
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "eval", "--jsonl"],
        input=lines,
        capture_output=True,
        env=environment(cli.cwd),
    )
    answers = done.stdout.decode().splitlines()
    assert [a.startswith('{"error"') for a in answers] == [True, True, True, True, False]
    assert (done.returncode, done.stderr) == (0, b"")


_EARLY = """
import builtins
from orchestrator.cli.main import main
real = builtins.__import__
def interrupted(name, *rest, **more):
    if name == {name!r}:
        raise KeyboardInterrupt
    return real(name, *rest, **more)
builtins.__import__ = interrupted
import sys
sys.argv = ["orchestrate", "list"]
main()
"""


@pytest.mark.parametrize(
    "name", ["orchestrator.cli.app", "typer", "orchestrator.cli.connections", "asyncio"]
)
def test_ctrl_c_while_it_loads(cli: Cli, name: str) -> None:
    """Ctrl-C before the command has begun ends the program in silence, as later."""
    done = subprocess.run(
        [sys.executable, "-c", _EARLY.format(name=name)],
        capture_output=True,
        env=environment(cli.cwd),
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
