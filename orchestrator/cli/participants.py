"""The services of a Python file, and the databases they keep their state in."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from orchestrator.cli.connections import make_folder
from orchestrator.cli.errors import CommandError, sentence
from orchestrator.service import Service
from orchestrator.settings import Settings


def load_module(file: Path) -> ModuleType:
    """Imports a Python file; modules beside it can be imported from it. Raises CommandError when
    it is not there or cannot be imported."""
    try:
        if file.is_dir():
            raise CommandError(f"{file} is a folder: name a Python file with services")
        if not file.is_file():
            raise CommandError(f"there is no {file}: name a Python file with services")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    name = "_participants_" + "_".join(file.absolute().with_suffix("").parts[1:])
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise CommandError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(file.absolute().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise CommandError(_why(file, error)) from None
    return module


def _why(file: Path, error: BaseException) -> str:
    said = sentence(error)
    if said is not None:
        return f"{file}: {said}"
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    mine = [f for f in frames if f.filename == str(file)]
    place = f"{file}:{mine[-1].lineno}" if mine else str(file)
    return f"{place}: {type(error).__name__}: {error}"


def services_of(module: ModuleType, file: Path) -> dict[str, Service]:
    """The services that a module defines, by name. Raises CommandError when there are none, or
    one of them has no handlers."""
    found = {s.name: s for s in vars(module).values() if isinstance(s, Service)}
    if not found:
        raise CommandError(f"{file} defines no service: make one with `Service(name)`")
    for service in found.values():
        if not service.handlers and not service.reactions:
            raise CommandError(
                f"{file}: service `{service.name}` has no handlers:"
                f" mark functions with `@{service.name}.handles(command)`"
            )
    return found


def read_services(file: Path) -> dict[str, Service]:
    """The services of a Python file, by name. Raises CommandError."""
    return services_of(load_module(file), file)


def database_urls(settings: Settings, services: Iterable[str]) -> dict[str, str]:
    """Where each service keeps its state: the configured database, else a SQLite file of its own
    in the data folder, so that services do not wait for one another's writes."""
    if settings.services_database is not None:
        return dict.fromkeys(services, settings.services_database.get_secret_value())
    folder = make_folder(settings.data.absolute() / "services")
    return {name: f"sqlite:///{folder / name}.db" for name in services}
