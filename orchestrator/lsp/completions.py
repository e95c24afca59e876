"""Completion."""

from __future__ import annotations

from lsprotocol import types

from dsl.editor.completion import complete
from dsl.editor.proposals import Completion
from orchestrator.lsp.server import FlowServer

OPTIONS = types.CompletionOptions(trigger_characters=[".", "("])

_KINDS = {
    "keyword": types.CompletionItemKind.Keyword,
    "variable": types.CompletionItemKind.Variable,
    "argument": types.CompletionItemKind.Property,
    "property": types.CompletionItemKind.Property,
    "field": types.CompletionItemKind.Field,
    "function": types.CompletionItemKind.Function,
    "method": types.CompletionItemKind.Method,
    "module": types.CompletionItemKind.Module,
    "type": types.CompletionItemKind.TypeParameter,
    "record": types.CompletionItemKind.Struct,
    "enum": types.CompletionItemKind.Enum,
    "symbol": types.CompletionItemKind.EnumMember,
    "policy": types.CompletionItemKind.Constant,
    "service": types.CompletionItemKind.Interface,
    "command": types.CompletionItemKind.Method,
    "event": types.CompletionItemKind.Event,
    "signal": types.CompletionItemKind.Event,
    "update": types.CompletionItemKind.Event,
    "activity": types.CompletionItemKind.Function,
    "saga": types.CompletionItemKind.Class,
}


def propose(server: FlowServer, params: types.CompletionParams) -> types.CompletionList | None:
    """What could be written at the cursor, the best first."""
    path = server.path(params.text_document.uri)
    source = server.flows.source(path)
    if source is None:
        return None
    lines = server.positions(source)
    offset = lines.offset(params.position)
    found = complete(server.flows, path, offset)
    if found is None:
        return None
    range = types.Range(lines.position(found.start), lines.position(offset))
    return types.CompletionList(False, [_item(c, range) for c in found.items])


def _item(found: Completion, range: types.Range) -> types.CompletionItem:
    doc = types.MarkupContent(types.MarkupKind.Markdown, found.doc) if found.doc else None
    return types.CompletionItem(
        label=found.label,
        kind=_KINDS.get(found.kind, types.CompletionItemKind.Text),
        detail=found.detail or None,
        documentation=doc,
        sort_text=f"{found.rank}{found.label}",
        text_edit=types.TextEdit(range, found.insert or found.label),
    )
