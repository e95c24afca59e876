"""Files on disk to a checked program."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from os.path import realpath
from pathlib import Path

import msgspec

from dsl.check.program import check_program, in_order
from dsl.check.waiting import emitted
from dsl.diagnostic import Diagnostic, has_errors
from dsl.mended import beside
from dsl.model import Program
from dsl.parse import parse
from dsl.source import Source, Span
from dsl.syntax import File

#: A larger file is no flow; in bytes. One of this size takes some ten seconds.
LARGEST = 4 * 2**20


class Loaded(msgspec.Struct, frozen=True):
    """What `load` found. `program` is None when the diagnostics hold an error; `sources` are the
    texts by path as shown; `asked` names the modules of the files that were asked for, without
    those that were found for an import."""

    program: Program | None
    diagnostics: tuple[Diagnostic, ...]
    sources: dict[str, str]
    asked: tuple[str, ...] = ()


def load(paths: Sequence[Path]) -> Loaded:
    """Parses and checks `.flow` files and all those in folders, sub-folders included.

    Imports are looked for among the given files and in the folders they stand in. Raises
    FileNotFoundError for a path that is not there, with a sentence for the user.
    """
    asked = flow_files(paths)
    beside = [f for folder in dict.fromkeys(p.parent for p in asked) for f in _flows(folder)]
    shown = {_shown(p) for p in asked}
    parsed: list[tuple[File, tuple[Diagnostic, ...]]] = []
    unread: list[Diagnostic] = []
    for path in _distinct([*asked, *beside]):
        read = read_source(path)
        if isinstance(read, Source):
            parsed.append(parse(read))
        elif path in asked:
            unread.append(read)
    wanted = _needed([f for f, _ in parsed], shown)
    found = {f.source.path: diagnostics for f, diagnostics in parsed}
    diagnostics = (*unread, *(d for f in wanted for d in found[f.source.path]))
    names = tuple(f.module.text for f in wanted if f.module and f.source.path in shown)
    checked = {f.source.path for f in wanted}
    unseen = emitted(f for f, _ in parsed if f.source.path not in checked)
    return _checked(wanted, diagnostics, names, unseen)


def check_texts(texts: dict[str, str]) -> Loaded:
    """The same for texts by the path they are to be shown under; stored sources, tests."""
    parsed = [parse(Source(path, text)) for path, text in texts.items()]
    files = [f for f, _ in parsed]
    diagnostics = tuple(d for _, found in parsed for d in found)
    return _checked(files, diagnostics, tuple(f.module.text for f in files if f.module))


def _checked(
    files: Sequence[File],
    diagnostics: tuple[Diagnostic, ...],
    asked: tuple[str, ...],
    elsewhere: frozenset[str] = frozenset(),
) -> Loaded:
    """Checks what was parsed. Where a part of a text had to be skipped, the names in the rest would
    only mislead; where every mistake was mended, the rest is as its author meant it."""
    sources = {f.source.path: f.source.text for f in files}
    wrong = has_errors(diagnostics)
    if wrong and not all(f.whole for f in files):
        return Loaded(None, diagnostics, sources, asked)
    program, found = check_program(files, elsewhere)
    if wrong:
        found = beside(found, diagnostics)
    found = in_order((*diagnostics, *found), files)
    return Loaded(None if has_errors(found) else program, found, sources, asked)


def flow_files(paths: Sequence[Path]) -> list[Path]:
    """The files among some paths and all `.flow` files in the folders among them, each once;
    hidden folders in them and `node_modules` are passed over.

    Raises FileNotFoundError for a path that is not there, with a sentence for the user.
    """
    found: list[Path] = []
    for path in paths:
        if _seen(path, Path.is_dir, unsure=False):
            found += _flows(path, deep=True)
        elif _seen(path, Path.exists, unsure=True):
            found.append(path)
        else:
            raise FileNotFoundError(f"there is no {path}: name a .flow file or a folder of them")
    if paths and not found:
        raise FileNotFoundError(f"there is no .flow file in {', '.join(map(str, paths))}")
    return _distinct(found)


def _flows(folder: Path, deep: bool = False) -> list[Path]:
    found = _below(folder) if deep else folder.glob("*.flow")
    return sorted(p for p in found if not _endless(p))


def _below(folder: Path) -> Iterator[Path]:
    """Not in what tools keep in a project: packages have files of that ending, too."""
    for place, folders, files in os.walk(folder):
        folders[:] = (f for f in folders if not f.startswith(".") and f != "node_modules")
        yield from (Path(place, n) for n in (*folders, *files) if n.endswith(".flow"))


def _endless(path: Path) -> bool:
    """Whether reading may wait for ever: a pipe, a socket, a device. One that is named alone is
    meant to be read."""
    return _seen(path, lambda p: p.exists() and not (p.is_file() or p.is_dir()), unsure=False)


def _seen(path: Path, ask: Callable[[Path], bool], unsure: bool) -> bool:
    """What a path is; `unsure` where the system does not tell: reading it will say why."""
    try:
        return ask(path)
    except OSError:
        return unsure


def _distinct(paths: Iterable[Path]) -> list[Path]:
    """Each file once, by the first of its names."""
    found: dict[str, Path] = {}
    for path in paths:
        found.setdefault(realpath(path), path)
    return list(found.values())


def _shown(path: Path) -> str:
    return path.as_posix()


def read_source(path: Path) -> Source | Diagnostic:
    """A file's text, or why it cannot be read."""
    data = read_bytes(path)
    return data if isinstance(data, Diagnostic) else source_of(data, _shown(path))


def read_bytes(path: Path) -> bytes | Diagnostic:
    """What a file holds, or why it cannot be read; not much more than is allowed of a large one."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as e:
        help = f"the system says: {e.strerror or e}".rstrip(".")
        return Diagnostic("F005", "this file cannot be read", _nowhere(_shown(path)), help=help)


def source_of(data: bytes, shown_as: str) -> Source | Diagnostic:
    """The text that a file's bytes are, without a byte-order mark, or why they are none."""
    if len(data) > LARGEST:
        message = f"this file is larger than {LARGEST // 2**20} MiB"
        return Diagnostic("F005", message, _nowhere(shown_as), help="cut it into modules")
    try:
        return Source(shown_as, data.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        help = f"save it as UTF-8: byte {e.start} is not"
        return Diagnostic("F005", "this file is not UTF-8", _nowhere(shown_as), help=help)


def _nowhere(shown_as: str) -> Span:
    return Span(Source(shown_as, ""), 0, 0)


def _needed(files: list[File], asked: set[str]) -> list[File]:
    """The files asked for and, step by step, those that they import from."""
    by_module: dict[str, File] = {}
    for file in files:
        if file.module and (file.source.path in asked or file.module.text not in by_module):
            by_module[file.module.text] = file
    needed = [f for f in files if f.source.path in asked]
    seen = {f.source.path for f in needed}
    for file in needed:  # grows while it is walked
        for statement in file.imports:
            other = by_module.get(statement.module.text)
            if other is not None and other.source.path not in seen:
                seen.add(other.source.path)
                needed.append(other)
    return needed
