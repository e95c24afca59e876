"""Files of participants that are wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.program import LAB, ORDERS, Cli

_HEAD = f'from orchestrator.service import Service\nlab = Service("lab", flow={str(LAB)!r})\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(:\n", "services.py:1: invalid syntax"),
        ("import nowhere_to_be_found\n", "services.py:1: ModuleNotFoundError: No module named"),
        ("x = 1\ny = x / 0\n", "services.py:2: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "services.py:1: SystemExit: 3"),
        ("x = 1\n", "defines no service: make one with"),
        (_HEAD, "service `lab` has no handlers"),
        (
            'from orchestrator.service import Service\nlab = Service("lba", flow="X")\n',
            "service `lba`: there is no X",
        ),
        (
            f'{_HEAD}@lab.handles("Opne")\nasync def f(command): ...\n',
            "service `lab` has no command `Opne`: it has `Open`",
        ),
        (f'{_HEAD}@lab.handles("Open")\ndef f(command): ...\n', "must be an `async def`"),
        (
            f'{_HEAD}@lab.handles("Open")\nasync def f(command, db): ...\n',
            "has a parameter `db`",
        ),
    ],
)
def test_a_wrong_file(cli: Cli, write: Callable[[str, str], Path], text: str, said: str) -> None:
    """What is wrong with a file of services is one sentence that names the file and the place."""
    refused = cli.call("service", write("services.py", text)).refused()
    assert said in refused and "services.py" in refused


def test_a_file_that_is_not_there(cli: Cli) -> None:
    """A missing file and a service that the file has not are named."""
    assert "there is no none.py" in cli.call("service", "none.py").refused()
    refused = cli.call("service", LAB / "services.py", "--only", "payments").refused()
    assert "has no service `payments`, it has `lab`" in refused


def test_a_module_beside_it(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """A file of services may import what lies beside it."""
    write("lab_beside.py", f"FLOW = {str(LAB)!r}\n")
    text = _HEAD.replace(repr(str(LAB)), "lab_beside.FLOW")
    refused = cli.call("service", write("services.py", f"import lab_beside\n{text}")).refused()
    assert "has no handlers" in refused


def test_nothing_is_started(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """What is wrong with flows, services and sagas is found before anything is started or
    written."""
    flow = write("a/m.flow", "module m\nrecord R { a: strin }\n")
    for command in ("dev", "deploy"):
        wrong = cli.call(command, flow)
        assert (wrong.code, wrong.out) == (1, "")
        assert "error[F" in wrong.err and wrong.err.endswith("error: 1 error, nothing done\n")
    write("b/lab.flow", (LAB / "lab.flow").read_text())
    write("b/services.py", "x = 1\n")
    assert "defines no service" in cli.call("dev", cli.cwd / "b").refused()
    batches = {
        '{"saga": "PlaceOrder"}': "is not of the form",
        "nonsense": "is not JSON",
        '{"saga": "PlaceOder", "inputs": []}': "declare no saga `PlaceOder`",
        '{"saga": "PlaceOrder", "inputs": [{"order": 1}]}': "input 1 of --run",
    }
    for text, said in batches.items():
        run = write("run.json", text)
        assert said in cli.call("dev", ORDERS, "--run", run).refused()
    assert "--run needs the flows" in cli.call("dev", "--run", run).refused()
    assert not cli.data.exists()
