"""Changes files of the user's."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from orchestrator.cli.errors import CommandError


def rewrite(path: Path, data: bytes) -> None:
    """Puts bytes in the place of a file's, whole or not at all; a link stays a link, and the
    file's permissions stay. Raises CommandError when the system refuses."""
    real = Path(os.path.realpath(path))
    try:
        handle, fresh = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            shutil.copymode(real, fresh)
            Path(fresh).replace(real)
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}") from None
