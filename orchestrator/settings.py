"""Settings: `orchestrate.toml` by environment, every one of them overridable by the process's
environment, the embedded stack where nothing is said."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

FILE = "orchestrate.toml"
_DEFAULT = "local"
_PREFIX = "ORCHESTRATE_"


LogFormat = Literal["text", "json"]

#: The library's kinds of errors as a user is told of them.
_BOUNDS = {
    "greater_than_equal": "it must be {ge} or more",
    "greater_than": "it must be more than {gt}",
    "less_than_equal": "it must be {le} or less",
    "less_than": "it must be less than {lt}",
}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "bool": "`true` or `false`",
    "path": "a path",
}


class SettingsError(Exception):
    """A setting that is wrong or missing; one sentence that names it."""


class Settings(BaseSettings):
    """What a command needs to know of its surroundings. Each is read from the variable
    `ORCHESTRATE_<NAME>`, else from the chosen `[env.<name>]` table, else it is the default; what
    has no default here comes from the running embedded stack."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    #: The embedded stack's data folder.
    data: Path = Path(".orchestrate")
    #: `host:port` of Temporal's front end.
    temporal: str | None = None
    namespace: str = "default"
    #: Kafka's bootstrap servers, comma-separated.
    kafka: str | None = None
    #: SQLAlchemy URL; a secret, because it may hold a password.
    database: SecretStr | None = None
    #: SQLAlchemy URL for the participants that the command line runs.
    services_database: SecretStr | None = None
    #: The loopback port at which a worker and services serve `/live`, `/ready` and `/metrics`.
    health_port: int | None = Field(default=None, ge=0, le=65535)
    #: How a worker and services log: text for people, or a JSON object in each line.
    log_format: LogFormat = "text"
    #: Seconds that a message may wait for its reader, and a circuit may be open, before that is an
    #: alert; and how many sagas may not wait for a person's decision. None of them: no alert.
    alert_lag: float | None = Field(default=None, ge=0)
    alert_circuit: float | None = Field(default=None, ge=0)
    alert_parked: int | None = Field(default=None, ge=1)
    #: The URL that is told of alerts, a secret because it may hold one, and what signs them.
    alert_webhook: SecretStr | None = None
    alert_secret: SecretStr | None = None
    #: The folder in which a worker finds the modules of the flows' activities, besides those that
    #: are installed and those beside the flows.
    code: Path = Path()
    #: Seconds that the fast way waits for an answer; well under a workflow task's heartbeat.
    window: float = Field(default=0.5, ge=0, le=5)
    #: History events after which a saga's long loop goes on in a new run; by default Temporal says
    #: when. It holds for the sagas that are started with it.
    events_per_run: int | None = Field(default=None, ge=10, le=20_000)
    #: Seconds that an event with a `sequence` waits for one before it, on its way to a saga.
    gap: float = Field(default=60, ge=0)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before what was read from the file."""
        return (env_settings, init_settings)

    @property
    def database_url(self) -> str:
        """The store's URL; without the setting a SQLite file in the data folder."""
        if self.database is not None:
            return self.database.get_secret_value()
        return f"sqlite:///{(self.data / 'store.db').absolute()}"


def load_settings(environment: str | None = None, folder: Path = Path()) -> Settings:
    """The settings of an environment (default: `ORCHESTRATE_ENV`, else `local`).

    Raises SettingsError, naming the setting, the file and the way out.
    """
    name = environment or os.environ.get("ORCHESTRATE_ENV") or _DEFAULT
    try:
        return Settings(**_table(folder / FILE, name))
    except ValidationError as error:
        raise SettingsError(_sentence(error, name)) from None


def _sentence(error: ValidationError, environment: str) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    setting = ".".join(map(str, first["loc"])) or "settings"
    if first["type"] == "extra_forbidden":
        known = ", ".join(f"`{name}`" for name in Settings.model_fields)
        return f"no setting `{setting}` (in `{environment}` of {FILE}): there are {known}"
    places = f"{_PREFIX}{setting.upper()}, or `{environment}` of {FILE}"
    return f"setting `{setting}` ({places}): {_wrong(first)}"


def _wrong(error: ErrorDetails) -> str:
    """What is wrong with a value, in our own words; the value may be a secret."""
    kind, bounds = error["type"], error.get("ctx", {})
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**{n: f"{bound:g}" for n, bound in bounds.items()})
    if kind == "literal_error":
        return f"it must be {bounds['expected']}".replace("'", "`")
    if kind.startswith(tuple(_KINDS)):
        return f"it must be {_KINDS[kind.partition('_')[0]]}"
    return _lower(error["msg"].removeprefix("Value error, "))


def _table(path: Path, name: str) -> dict[str, Any]:
    """The settings under `[env.<name>]`; none where there is no file, or no `local` in it."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        document = {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: byte {error.start} is not") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {_lower(str(error))}") from None
    environments = document.pop("env", {})
    if document or not isinstance(environments, dict):
        wrong = next(iter(document), "env")
        raise SettingsError(f"{path}: `{wrong}` is out of place: settings stand in `[env.<name>]`")
    if name not in environments and name != _DEFAULT:
        if not path.exists():
            raise SettingsError(f"no environment `{name}`: there is no {path} here")
        known = ", ".join(f"`{n}`" for n in environments) or "none"
        raise SettingsError(f"no environment `{name}` in {path}: there is {known}")
    table = environments.get(name, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: `env.{name}` is no table: write `[env.{name}]` and settings")
    return table


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
