"""What changes texts: renaming, quick fixes, formatting."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from dsl.diagnostic import Edit
from dsl.editor.fixes import fixes
from dsl.editor.rename import Refused, renamable, rename
from dsl.editor.tidy import tidied
from orchestrator.lsp.messages import to_diagnostic
from orchestrator.lsp.server import FlowServer


class RefusedError(JsonRpcException):
    """A request that is understood and cannot be granted; the text is shown to the user."""

    CODE = types.LSPErrorCodes.RequestFailed.value


def prepare_rename(
    server: FlowServer, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder | None:
    """The name that would be changed. Raises RefusedError."""
    place = server.place(params.text_document.uri, params.position)
    found = place[0].index.at(place[1]) if place else None
    if refused := renamable(found):
        raise RefusedError(refused.reason)
    assert place and found
    range = server.positions(place[0].source).range(found.at)
    return types.PrepareRenamePlaceholder(range, found.at.text)


def rename_everywhere(server: FlowServer, params: types.RenameParams) -> types.WorkspaceEdit | None:
    """The edits that give a declaration another name. Raises RefusedError."""
    place = server.place(params.text_document.uri, params.position)
    found = place[0].index.at(place[1]) if place else None
    edits = rename(server.flows, found, params.new_name)
    if isinstance(edits, Refused):
        raise RefusedError(edits.reason)
    return _workspace_edit(edits, server)


def quick_fixes(
    server: FlowServer, params: types.CodeActionParams
) -> list[types.CodeAction] | None:
    """What puts the findings right that stand in a range."""
    wanted = params.context.only
    if wanted and not any(types.CodeActionKind.QuickFix.value.startswith(str(k)) for k in wanted):
        return []
    analysis = server.flows.analysis(server.path(params.text_document.uri))
    if analysis is None:
        return None
    lines = server.positions(analysis.source)
    start, end = lines.offset(params.range.start), lines.offset(params.range.end)
    return [
        types.CodeAction(
            title=fix.title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[to_diagnostic(fix.of, server.positions, server.uri)],
            edit=_workspace_edit(fix.edits, server),
            is_preferred=True,
        )
        for fix in fixes(analysis, start, end)
    ]


def format_text(
    server: FlowServer, params: types.DocumentFormattingParams
) -> list[types.TextEdit] | None:
    """The edits that bring a text into its canonical form; none after a mistake of syntax."""
    source = server.flows.source(server.path(params.text_document.uri))
    if source is None:
        return None
    lines = server.positions(source)
    return [types.TextEdit(lines.range(e.at), e.text) for e in tidied(source)]


def _workspace_edit(edits: Iterable[Edit], server: FlowServer) -> types.WorkspaceEdit:
    changes: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        range = server.positions(edit.at.source).range(edit.at)
        own = changes.setdefault(server.uri(edit.at.source.path), [])
        own.append(types.TextEdit(range, edit.text))
    return types.WorkspaceEdit(changes=changes)
