"""Commands that need no server: check, diagram, help, and wrong calls."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from orchestrator.cli import app as cli_app
from orchestrator.cli.output import print_json
from tests.cli.program import LAB, ORDERS, PROGRAM, Cli, environment

COMMANDS = [
    *("check", "fmt", "deploy", "dev", "worker", "service", "start"),
    *("list", "show", "cancel", "resolve", "diagram", "eval", "test"),
    *("signal", "query", "update"),
]
WRONG = "module m\nrecord R { a: strin }\n"


def test_good_flows_have_no_findings(cli: Cli) -> None:
    """Flows without an error say so, with how many files were read, and exit status 0."""
    done = cli.run("check", ORDERS)
    assert (done.code, done.out, done.err) == (0, "checked 3 files: no findings\n", "")


def test_errors_are_shown_with_their_place(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """An error is shown with its code and place, as text and as JSON, and the exit status is 1."""
    write("m.flow", WRONG)
    text = cli.call("check", cli.cwd / "m.flow")
    assert text.code == 1
    assert "error[F" in text.out and "m.flow:2:15" in text.out and "1 error" in text.out
    for options in (["--json"], ["--format", "json"]):
        found = cli.call("check", cli.cwd / "m.flow", *options)
        assert found.code == 1
        assert found.json["ok"] is False
        assert found.json["diagnostics"][0]["code"].startswith("F")


def test_findings_for_code_review(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """SARIF holds a result with its rule and region, GitHub's form an annotation of the place."""
    write("m.flow", 'module m\nrecord R { a: string = "\U0001f600" b: strin }\n')
    sarif = cli.run("check", "m.flow", "--format", "sarif")
    assert (sarif.code, sarif.json["version"]) == (1, "2.1.0")
    [run] = sarif.json["runs"]
    [result] = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "F104"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "m.flow"
    # Columns count UTF-16 units: the emoji before the place has two.
    assert (place["region"]["startLine"], place["region"]["startColumn"]) == (2, 32)
    github = cli.run("check", "m.flow", "--format", "github")
    assert github.code == 1
    assert github.out.startswith(
        "::error file=m.flow,line=2,endLine=2,title=F104,col=31,endColumn=36::"
    )


def test_fixes_for_code_review(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """JSON and SARIF say what to put in which place."""
    write("m.flow", WRONG)
    place = {"path": "m.flow", "line": 2, "column": 15, "end_line": 2, "end_column": 20}
    found = cli.run("check", "m.flow", "--json").json["diagnostics"][0]
    assert found["fix"] == [{"text": "string", **place}]
    [run] = cli.run("check", "m.flow", "--format", "sarif").json["runs"]
    [fix] = run["results"][0]["fixes"]
    [change] = fix["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "m.flow"}
    [replacement] = change["replacements"]
    assert replacement["insertedContent"] == {"text": "string"}
    assert (replacement["deletedRegion"]["startColumn"]) == 15


def test_what_can_be_fixed_is_fixed(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """With --fix the file is changed until there is nothing to fix, each change is shown, and what
    is left decides on the exit status."""
    path = write("m.flow", "")
    path.write_bytes(b"\xef\xbb\xbfmodule m\r\nrecrod R { a: strin, }\r\nrecord R { }\r\n")
    offered = cli.run("check", "m.flow")
    assert offered.out.endswith("2 errors (--fix puts 2 right)\n")
    done = cli.run("check", "m.flow", "--fix")
    assert done.code == 1
    assert done.out.startswith(
        "fixed[F001]: m.flow:2:1: unexpected `recrod`\n  - `recrod` + `record`\n"
        "fixed[F001]: m.flow:2:20: unexpected `,`\n  - `,`\n"
        "fixed[F104]: m.flow:2:15: no type named `strin`\n  - `strin` + `string`\n"
        "error[F102]: `R` is declared twice\n"
    )
    assert done.out.endswith("checked 1 file: 1 error\n")
    assert path.read_bytes() == (
        b"\xef\xbb\xbfmodule m\r\nrecord R { a: string }\r\nrecord R { }\r\n"
    )
    before = path.read_bytes(), path.stat().st_mtime_ns
    again = cli.run("check", "m.flow", "--fix")
    assert "fixed[" not in again.out
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_good_flows_as_json(cli: Cli) -> None:
    """Without errors the JSON says so, and names the modules."""
    done = cli.call("check", ORDERS, "--json")
    assert (done.code, done.json["ok"]) == (0, True)
    assert set(done.json["modules"]) == {"shop.contracts", "shop.orders", "shop.orders.scenarios"}


def test_a_path_that_is_not_there(cli: Cli) -> None:
    """A missing path and a folder without flows are named in one sentence."""
    (cli.cwd / "empty").mkdir()
    for command in ("check", "diagram", "dev"):
        assert "there is no nowhere.flow" in cli.call(command, "nowhere.flow").refused()
        empty = cli.call(command, cli.cwd / "empty").refused()
        assert "there is no .flow file in" in empty and "empty" in empty


def test_not_utf8(cli: Cli) -> None:
    """A file that is not text is a finding of its own."""
    (cli.cwd / "m.flow").write_bytes(b"module m\n// \xff\n")
    done = cli.call("check", cli.cwd / "m.flow")
    assert done.code == 1
    assert "m.flow" in done.out and "UTF-8" in done.out


@pytest.mark.parametrize(
    ("format", "begins"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("dot", b"digraph")]
)
def test_a_diagram_in_each_form(cli: Cli, format: str, begins: bytes) -> None:
    """A diagram goes to standard output, or to a file with the same bytes in it."""
    command = [*PROGRAM, "diagram", str(ORDERS), "--format", format]
    done = subprocess.run(
        command, cwd=cli.cwd, env=environment(cli.data), capture_output=True, check=True
    )
    assert done.stdout.startswith(begins)
    written = cli.call("diagram", ORDERS, "--format", format, "-o", cli.cwd / "picture")
    assert (written.code, written.out) == (0, "")
    assert (cli.cwd / "picture").read_bytes() == done.stdout


def test_a_diagram_of_one_saga(cli: Cli) -> None:
    """A saga is chosen by its short or its qualified name; an unknown one is named with those
    there are."""
    for name in ("PlaceOrder", "shop.orders.PlaceOrder"):
        assert cli.call("diagram", ORDERS, "--saga", name, "--format", "dot").code == 0
    refused = cli.call("diagram", ORDERS, "--saga", "PlaceOder").refused()
    assert "no saga `PlaceOder`" in refused and "`PlaceOrder`" in refused


def test_a_diagram_that_cannot_be_written(cli: Cli) -> None:
    """A place that cannot be written to is named with the system's reason."""
    refused = cli.call("diagram", ORDERS, "-o", cli.cwd / "no" / "such" / "x.svg").refused()
    assert "x.svg cannot be written: No such file or directory" in refused


def test_a_diagram_of_flows_with_errors(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """Flows with errors are not drawn: the findings are shown instead."""
    done = cli.call("diagram", write("m.flow", WRONG))
    assert (done.code, done.out) == (1, "")
    assert "error[F" in done.err and "nothing done" in done.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(cli: Cli, command: str) -> None:
    """Each command's help ends with a call that shows its use."""
    done = cli.call(command, "--help")
    assert done.code == 0
    assert f"Example: orchestrate {command}" in " ".join(done.out.split())


def test_help_lists_all_commands(cli: Cli) -> None:
    """The program's help names every command with what it does."""
    done = cli.run("--help")
    assert done.code == 0
    listed = {line.split()[0] for line in done.out.splitlines() if line.startswith("  ")}
    assert set(COMMANDS) <= listed


@pytest.mark.parametrize(
    "arguments",
    [
        ["chek"],
        ["check"],
        ["check", "--colour", "x"],
        ["diagram", str(ORDERS), "--format", "gif"],
        ["list", "--status", "lost"],
        ["list", "--limit", "0"],
        ["resolve", "Trial/1"],
        ["resolve", "Trial/1", "--retry", "--skip"],
        ["dev", str(ORDERS), "--once"],
    ],
)
def test_a_wrong_call_is_status_2(cli: Cli, arguments: list[str]) -> None:
    """A command, option or value that there is not is exit status 2, with the usage."""
    done = cli.call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Usage: " in done.err and "Error: " in done.err


@pytest.mark.parametrize("arguments", [["check", str(ORDERS)], ["dev", "--help"], ["--help"]])
def test_no_client_is_loaded_for_nothing(cli: Cli, arguments: list[str]) -> None:
    """What talks to no server loads no server's client, and no command loads another's."""
    code = (
        "import sys; from orchestrator.cli.app import app\n"
        "try: app(sys.argv[1:])\n"
        "finally: print(*sorted(m for m in sys.modules if '.' not in m), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(cli.data),
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"temporalio", "aiokafka", "sqlalchemy", "structlog", "pydantic_settings", "asyncio"}
    assert heavy & set(done.stderr.split()) == set()


def test_a_check_loads_no_more_than_it_needs(cli: Cli) -> None:
    """Neither what computes the grammar's table, which is kept, nor what draws tables or reads
    plans, nor what only other commands need."""
    cli.call("check", str(ORDERS))
    code = (
        "import sys; from orchestrator.cli.app import app\n"
        "try: app(sys.argv[1:])\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check", str(ORDERS)],
        env=environment(cli.data),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stderr.split())
    heavy = {"lark", "rich", "sqlite3", "pydantic", "importlib.metadata"}
    assert heavy & loaded == set()
    modules = {place.partition(":")[0] for place, _ in cli_app.COMMANDS.values()}
    assert {f"orchestrator.cli.{m}" for m in modules} & loaded == {"orchestrator.cli.check"}


def test_errors_for_the_user_exist() -> None:
    """Every class that the command line knows by name is an exception there is."""
    from importlib import import_module

    from orchestrator.cli.errors import FOR_THE_USER

    for name in FOR_THE_USER:
        module, _, short = name.rpartition(".")
        assert issubclass(getattr(import_module(module), short), Exception)


def test_a_reader_that_leaves(cli: Cli) -> None:
    """A pipe that is closed early (`| head`) ends the command without a traceback."""
    command = [*PROGRAM, "diagram", str(ORDERS), "--format", "svg"]
    with subprocess.Popen(
        command,
        env=environment(cli.data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_a_terminal_that_knows_little(cli: Cli) -> None:
    """Signs that the output's encoding has not are replaced, and stop nothing."""
    done = cli.run("check", cli.cwd / "ü.flow", env={"PYTHONIOENCODING": "ascii"})
    assert done.refused().startswith("there is no ")


def test_json_is_whole(cli: Cli) -> None:
    """`--json` is one document, also when it tells of nothing."""
    (cli.cwd / "m.flow").write_text("module m\n")
    assert json.loads(cli.call("check", cli.cwd / "m.flow", "--json").out)["diagnostics"] == []


def test_the_lab_is_sound(cli: Cli) -> None:
    """The flow that the tests with servers use has no findings."""
    assert cli.call("check", LAB).code == 0


def test_times_in_json_are_of_one_form(capsys: pytest.CaptureFixture[str]) -> None:
    """They are RFC 3339, in UTC, whatever zone they come in."""
    at = datetime(2026, 1, 31, 8, tzinfo=timezone(timedelta(hours=1)))
    print_json([at, datetime(2026, 1, 31, 8)])
    found = json.loads(capsys.readouterr().out)
    assert found == ["2026-01-31T07:00:00Z", "2026-01-31T08:00:00Z"]
