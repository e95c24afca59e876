"""The files that an editor works on: those on disk, and over them the texts that are open."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dsl.editor.analysis import Analysis, Parsed, analyse
from dsl.source import Source

_MODULE = re.compile(r"(?:\s|//[^\n]*)*module\s+(\w+(?:\s*\.\s*\w+)*)")
#: Folders that hold no flows of one's own.
_SKIPPED = frozenset(("node_modules", "__pycache__", "build", "dist", "venv"))
#: So many files at most are looked for below the folders of a workspace.
MOST_FILES = 5_000


class Workspace:
    """Texts by path; every answer is of the texts as they are now."""

    def __init__(self, folders: Iterable[str] = ()) -> None:
        self._folders = list(dict.fromkeys(folders))
        self._open: dict[str, Source] = {}
        self._disk: dict[str, tuple[tuple[int, int], Source | None]] = {}
        self._parsed: dict[str, Parsed] = {}
        self._modules: dict[str, tuple[Source, str]] = {}
        self._analyses: dict[str, Analysis] = {}
        self._listed: list[str] | None = None

    # --- what the texts are

    def open(self, path: str, text: str) -> None:
        """Takes a text in place of the file's, which may not even exist."""
        # A byte-order mark says nothing; a blank keeps the places of all else.
        text = " " + text[1:] if text.startswith("\ufeff") else text
        known = self._open.get(path)
        if known is None or known.text != text:
            self._open[path] = Source(path, text)

    def fork(self, texts: Mapping[str, str]) -> Workspace:
        """The same workspace, had these texts been typed into it."""
        other = Workspace(self._folders)
        other._open, other._disk, other._parsed = {**self._open}, self._disk, {**self._parsed}
        other._listed = self.files()
        for path, text in texts.items():
            other.open(path, text)
        return other

    def close(self, path: str) -> None:
        """Goes back to what is on disk."""
        self._open.pop(path, None)

    def add_folder(self, path: str) -> None:
        """Looks for files there, too."""
        if path not in self._folders:
            self._folders.append(path)
            self.files_changed()

    def remove_folder(self, path: str) -> None:
        """Forgets a folder."""
        self._folders = [f for f in self._folders if f != path]
        self.files_changed()

    def files_changed(self) -> None:
        """Looks again which files there are."""
        self._listed = None

    @property
    def opened(self) -> list[str]:
        """The paths of the texts that are open."""
        return list(self._open)

    def files(self) -> list[str]:
        """Every file of the workspace, and every open text."""
        if self._listed is None:
            self._listed = sorted(_flows(self._folders))
        return list(dict.fromkeys((*self._open, *self._listed)))

    def source(self, path: str) -> Source | None:
        """The text at a path as it is now; None when it cannot be read."""
        if path in self._open:
            return self._open[path]
        try:
            found = Path(path).stat()
            if not stat.S_ISREG(found.st_mode):  # reading a pipe would wait for ever
                return None
            version = (found.st_mtime_ns, found.st_size)
            known = self._disk.get(path)
            if known is None or known[0] != version:
                known = self._disk[path] = (version, _read(path))
            return known[1]
        except (OSError, ValueError):
            return None

    # --- what is known of them

    def analysis(self, path: str) -> Analysis | None:
        """What is known of a file now; None when it cannot be read."""
        parsed = self._parse(path)
        if parsed is None:
            return None
        needed = tuple(self._needed(path, parsed))
        known = self._analyses.get(path)
        if known is None or known.made_of != needed:
            known = self._analyses[path] = analyse(needed)
        return known

    def dependents(self, path: str) -> list[str]:
        """The open texts that a change of this one may concern, itself first."""
        source = self.source(path)
        name = self._module_of(path, source) if source else ""
        known = [p for p in self._open if p != path and self._imports(p, path, name)]
        return [*([path] if path in self._open else ()), *known]

    def _imports(self, path: str, other: str, module: str) -> bool:
        analysis = self._analyses.get(path)
        if analysis is None:
            return True
        if any(p.file.source.path == other for p in analysis.made_of):
            return True
        wanted = (i.module.text for p in analysis.made_of for i in p.file.imports)
        return module in wanted

    def _parse(self, path: str) -> Parsed | None:
        source = self.source(path)
        if source is None:
            return None
        known = self._parsed.get(path)
        if known is None or known.file.source is not source:
            known = self._parsed[path] = Parsed.of(source)
        return known

    def _needed(self, path: str, parsed: Parsed) -> list[Parsed]:
        """A file and, step by step, those that it imports from: the ones beside it come first,
        then the nearest."""
        needed, taken = [parsed], {path}
        names = {parsed.file.module.text} if parsed.file.module else set()
        for one in needed:  # grows while it is walked
            for statement in one.file.imports:
                name = statement.module.text
                if name in names:
                    continue
                names.add(name)
                for other in self._candidates(path):
                    source = self.source(other) if other not in taken else None
                    if source is None or self._module_of(other, source) != name:
                        continue
                    found = self._parse(other)
                    if found and found.file.module and found.file.module.text == name:
                        needed.append(found)
                        taken.add(other)
                        break
        return needed

    def module_names(self, path: str) -> dict[str, str]:
        """The modules that a file may import from, and where each is."""
        found: dict[str, str] = {}
        for other in self._candidates(path):
            source = self.source(other) if other != path else None
            if source and (name := self._module_of(other, source)):
                found.setdefault(name, other)
        return found

    def _candidates(self, path: str) -> Iterator[str]:
        """Where an import of a file is looked for: beside it, then ever further away."""
        folder = Path(path).parent
        beside = [p for p in self._open if Path(p).parent == folder]
        beside = list(dict.fromkeys((*beside, *_beside(folder))))
        yield from beside
        rest = set(self.files()) - set(beside)
        yield from sorted(rest, key=lambda p: (_apart(folder, Path(p).parent), p))

    def _module_of(self, path: str, source: Source) -> str:
        known = self._modules.get(path)
        if known is None or known[0] is not source:
            match = _MODULE.match(source.text)
            name = re.sub(r"\s", "", match[1]) if match else ""
            known = self._modules[path] = (source, name)
        return known[1]


def _read(path: str) -> Source | None:
    try:
        return Source.read(Path(path))
    except UnicodeDecodeError:
        return None


def _beside(folder: Path) -> list[str]:
    try:
        return sorted(map(str, folder.glob("*.flow")))
    except (OSError, ValueError):
        return []


def _flows(folders: Iterable[str]) -> list[str]:
    found: list[str] = []
    for top in folders:
        for folder, inner, names in os.walk(top):
            inner[:] = sorted(n for n in inner if n[0] != "." and n not in _SKIPPED)
            found += (str(Path(folder, n)) for n in names if n.endswith(".flow"))
            if len(found) >= MOST_FILES:
                return found[:MOST_FILES]
    return found


def _apart(one: Path, other: Path) -> int:
    """How many steps lead from one folder to another."""
    common = 0
    for a, b in zip(one.parts, other.parts, strict=False):
        if a != b:
            break
        common += 1
    return len(one.parts) + len(other.parts) - 2 * common
