"""orchestrate.toml and the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.settings import Settings, SettingsError, load_settings
from tests.cli.program import ORDERS, Cli, closed_port

Write = Callable[[str, str], Path]
SECRET = "hunter2-very-secret"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "env"):
        monkeypatch.delenv(f"ORCHESTRATE_{name.upper()}", raising=False)


def test_without_a_file(tmp_path: Path) -> None:
    """Without a file everything is the embedded stack's."""
    settings = load_settings(folder=tmp_path)
    assert (settings.temporal, settings.kafka, settings.data) == (None, None, Path(".orchestrate"))
    assert settings.database_url.endswith("/.orchestrate/store.db")


def test_environments(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment is chosen by name, else by ORCHESTRATE_ENV, else it is `local`; a variable
    goes before the file, and an empty one counts for nothing."""
    write("orchestrate.toml", '[env.local]\nkafka = "a:1"\n[env.prod]\nkafka = "b:2"\n')
    assert load_settings(folder=tmp_path).kafka == "a:1"
    assert load_settings("prod", tmp_path).kafka == "b:2"
    monkeypatch.setenv("ORCHESTRATE_ENV", "prod")
    assert load_settings(folder=tmp_path).kafka == "b:2"
    monkeypatch.setenv("ORCHESTRATE_KAFKA", "c:3")
    assert load_settings(folder=tmp_path).kafka == "c:3"
    monkeypatch.setenv("ORCHESTRATE_KAFKA", "")
    assert load_settings(folder=tmp_path).kafka == "b:2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[env.local\n", "orchestrate.toml is not TOML"),
        ('[env.local]\nkafkaa = "x"\n', "no setting `kafkaa`"),
        ("[env.local]\nwindow = 99\n", "`local` of orchestrate.toml): it must be 5 or less"),
        ("[env.local]\nwindow = -0.5\n", "setting `window`"),
        ("[env.local]\nevents_per_run = 50_000\n", "): it must be 20000 or less"),
        ("[env.local]\nevents_per_run = 9\n", "): it must be 10 or more"),
        ("[env.local]\nevents_per_run = 10.5\n", "): it must be a whole number"),
        ('[env.local]\ngap = "long"\n', "): it must be a number"),
        ("[env.local]\nkafka = 5\n", "setting `kafka` (ORCHESTRATE_KAFKA"),
        ("[env.local]\nkafka = 5\n", "): it must be a text"),
        ("[env.local]\ndata = 5\n", "): it must be a path"),
        ('[env.local]\nlog_format = "x"\n', "): it must be `text` or `json`"),
        ('kafka = "x"\n', "`kafka` is out of place"),
        ("env = 3\n", "`env` is out of place"),
        ("[env]\nlocal = 3\n", "`env.local` is no table"),
    ],
)
def test_a_wrong_file(write: Write, tmp_path: Path, text: str, said: str) -> None:
    """A mistake in the file is one sentence that names the file and the setting."""
    write("orchestrate.toml", text)
    with pytest.raises(SettingsError) as caught:
        load_settings(folder=tmp_path)
    assert said in str(caught.value) and "orchestrate.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_environment(write: Write, cli: Cli) -> None:
    """An environment that is not there is named with those that are."""
    write("orchestrate.toml", "[env.local]\n[env.prod]\n")
    refused = cli.run("list", "--env", "stage").refused()
    assert "no environment `stage`" in refused and "`local`, `prod`" in refused


def test_a_wrong_variable(cli: Cli) -> None:
    """A wrong value in the environment is refused under the variable's name, without the value."""
    done = cli.run("list", env={"ORCHESTRATE_WINDOW": SECRET})
    assert "ORCHESTRATE_WINDOW" in done.refused() and SECRET not in done.err


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@{{closed}}/shop",
        f"mysql://me:{SECRET}@localhost/shop",
        f"{SECRET}",
    ],
)
def test_a_password_is_never_shown(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """A database that cannot be used is refused without its password in the error, nor in any
    text of the settings."""
    import asyncio
    import traceback

    from orchestrator.cli.connections import Connections
    from orchestrator.store.errors import StoreError

    monkeypatch.chdir(tmp_path)
    write("orchestrate.toml", f'[env.local]\ndatabase = "{url.format(closed=closed_port())}"\n')

    async def use() -> None:
        async with Connections() as to:
            assert SECRET not in f"{to.settings!r} {to.settings}"
            await to.database()

    with pytest.raises(StoreError) as caught, asyncio.Runner() as runner:
        runner.run(use())
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_data_folder_that_cannot_be(cli: Cli) -> None:
    """A data folder that cannot be made is one sentence."""
    (cli.cwd / "data").write_text("a file")
    refused = cli.run("dev", ORDERS).refused()
    assert str(cli.data) in refused and "ORCHESTRATE_DATA" in refused
