"""Graphviz's SVG, finished: each line of a label set in its face, tooltips that browsers show."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from orchestrator.diagrams.error import DiagramError
from orchestrator.diagrams.label import LEADING
from orchestrator.diagrams.style import FACES, Face

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_FACES = re.compile(r"\blines-([a-z]+)\b")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

ET.register_namespace("", _SVG[1:-1])
ET.register_namespace("xlink", _XLINK[1:-1])


def finish(svg: bytes) -> bytes:
    """The SVG as it is shown. One that was not drawn here passes through."""
    try:
        root = ET.fromstring(svg)
    except ET.ParseError as e:
        raise DiagramError(f"Graphviz gave an SVG that cannot be read: {e}") from e
    for group in root.iter(f"{_SVG}g"):
        _tooltip(group)
        found = _FACES.search(group.get("class", ""))
        if found:
            faces = [FACES[letter] for letter in found[1] if letter in FACES]
            _set(group, faces)
        if group.get("class", "").startswith("edge"):
            _halo(group)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _tooltip(group: ET.Element) -> None:
    """Puts the tooltip where browsers look for it, in place of Graphviz's own id, and unwraps the
    links that Graphviz makes for it."""
    link = group.find(f"{_SVG}g/{_SVG}a")
    title = group.find(f"{_SVG}title")
    if link is None or title is None:
        return
    title.text = link.get(f"{_XLINK}title", "").strip() or title.text
    for inner in group.findall(f"{_SVG}g"):
        wrapped = inner.find(f"{_SVG}a")
        if wrapped is not None:
            at = list(group).index(inner)
            group.remove(inner)
            for offset, part in enumerate(wrapped):
                group.insert(at + offset, part)


def _set(group: ET.Element, faces: list[Face]) -> None:
    texts = group.findall(f"{_SVG}text")
    if len(texts) != len(faces):
        return
    high = sum(f.size * LEADING for f in faces)
    y = _top(group, texts, high)
    for text, face in zip(texts, faces, strict=True):
        y += face.size * LEADING
        text.set("y", f"{y - face.size * (LEADING - 0.95):.2f}")
        for name, value in _attributes(face):
            text.set(name, value)


def _halo(group: ET.Element) -> None:
    """An edge's label stays readable where a line runs behind it."""
    for text in group.findall(f"{_SVG}text"):
        text.set("stroke", "white")
        text.set("stroke-width", "3")
        text.set("stroke-linejoin", "round")
        text.set("paint-order", "stroke")


def _top(group: ET.Element, texts: list[ET.Element], high: float) -> float:
    """Where the text begins: centred in its node; a header where Graphviz began it."""
    if "node" not in group.get("class", "").split():
        first = texts[0]
        size = float(first.get("font-size", "12"))
        # Graphviz left room for lines of this size; what is larger stands out at the top.
        return float(first.get("y", "0")) - size - max(0.0, high - len(texts) * size * 1.2)
    ys = [y for shape in group for y in _ys(shape)]
    return (min(ys) + max(ys) - high) / 2 if ys else 0.0


def _ys(shape: ET.Element) -> Iterator[float]:
    for name in ("points", "d"):
        numbers = _NUMBER.findall(shape.get(name, ""))
        yield from map(float, numbers[1::2])
    if shape.tag == f"{_SVG}ellipse":
        yield float(shape.get("cy", "0"))


def _attributes(face: Face) -> Iterator[tuple[str, str]]:
    yield "font-size", f"{face.size:g}"
    yield "fill", face.color
    if face.bold:
        yield "font-weight", "bold"
    if face.italic:
        yield "font-style", "italic"
