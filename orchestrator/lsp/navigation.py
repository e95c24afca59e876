"""Hover, definitions, references, the outline."""

from __future__ import annotations

from lsprotocol import types

from dsl.editor.hover import hover
from dsl.editor.outline import Entry, outline
from dsl.editor.references import references
from dsl.source import Source
from orchestrator.lsp.messages import location
from orchestrator.lsp.server import FlowServer

_KINDS = {
    "module": types.SymbolKind.Module,
    "type": types.SymbolKind.TypeParameter,
    "enum": types.SymbolKind.Enum,
    "symbol": types.SymbolKind.EnumMember,
    "record": types.SymbolKind.Struct,
    "field": types.SymbolKind.Field,
    "policy": types.SymbolKind.Property,
    "service": types.SymbolKind.Interface,
    "command": types.SymbolKind.Method,
    "event": types.SymbolKind.Event,
    "activity": types.SymbolKind.Function,
    "saga": types.SymbolKind.Class,
    "aggregate": types.SymbolKind.Class,
    "projection": types.SymbolKind.Class,
    "scenario": types.SymbolKind.Function,
    "step": types.SymbolKind.Method,
    "branch": types.SymbolKind.Namespace,
    "var": types.SymbolKind.Variable,
    "signal": types.SymbolKind.Event,
    "query": types.SymbolKind.Function,
    "update": types.SymbolKind.Function,
}


def show_hover(server: FlowServer, params: types.HoverParams) -> types.Hover | None:
    """What the name under the cursor is."""
    place = server.place(params.text_document.uri, params.position)
    found = hover(*place) if place else None
    if place is None or found is None:
        return None
    text = types.MarkupContent(types.MarkupKind.Markdown, found.text)
    return types.Hover(text, server.positions(place[0].source).range(found.at))


def find_definition(server: FlowServer, params: types.DefinitionParams) -> types.Location | None:
    """Where a name is declared."""
    place = server.place(params.text_document.uri, params.position)
    found = place[0].index.at(place[1]) if place else None
    return location(found.target.at, server.positions, server.uri) if found else None


def find_references(
    server: FlowServer, params: types.ReferenceParams
) -> list[types.Location] | None:
    """Where else a name stands, in all files."""
    place = server.place(params.text_document.uri, params.position)
    found = place[0].index.at(place[1]) if place else None
    if found is None:
        return None
    everything = references(server.flows, found.target)
    wanted = [o for o in everything if params.context.include_declaration or not o.declares]
    return [location(o.at, server.positions, server.uri) for o in wanted]


def highlight(
    server: FlowServer, params: types.DocumentHighlightParams
) -> list[types.DocumentHighlight] | None:
    """Where else a name stands in the same file."""
    place = server.place(params.text_document.uri, params.position)
    found = place[0].index.at(place[1]) if place else None
    if place is None or found is None:
        return None
    lines = server.positions(place[0].source)
    read, write = types.DocumentHighlightKind.Read, types.DocumentHighlightKind.Write
    return [
        types.DocumentHighlight(lines.range(o.at), write if o.declares else read)
        for o in place[0].index.of(found.target)
    ]


def list_symbols(
    server: FlowServer, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | None:
    """The outline of a file."""
    analysis = server.flows.analysis(server.path(params.text_document.uri))
    if analysis is None:
        return None
    return [_symbol(e, analysis.source, server) for e in outline(analysis.file)]


def _symbol(entry: Entry, source: Source, server: FlowServer) -> types.DocumentSymbol:
    lines = server.positions(source)
    return types.DocumentSymbol(
        name=entry.name,
        kind=_KINDS.get(entry.kind, types.SymbolKind.Object),
        range=lines.range(entry.at),
        selection_range=lines.range(entry.name_at),
        detail=entry.detail,
        children=[_symbol(e, source, server) for e in entry.inside],
    )
