"""What the server offers, one function for each kind of question."""

from __future__ import annotations

from lsprotocol import types

from orchestrator.lsp import completions, editing, navigation
from orchestrator.lsp.server import FlowServer, answered


def register(server: FlowServer) -> None:
    """Offers everything."""
    _texts(server)
    for name, ask, options in (
        (types.TEXT_DOCUMENT_HOVER, navigation.show_hover, None),
        (types.TEXT_DOCUMENT_DEFINITION, navigation.find_definition, None),
        (types.TEXT_DOCUMENT_REFERENCES, navigation.find_references, None),
        (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, navigation.highlight, None),
        (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, navigation.list_symbols, None),
        (types.TEXT_DOCUMENT_PREPARE_RENAME, editing.prepare_rename, None),
        (types.TEXT_DOCUMENT_RENAME, editing.rename_everywhere, _RENAME),
        (types.TEXT_DOCUMENT_CODE_ACTION, editing.quick_fixes, _ACTIONS),
        (types.TEXT_DOCUMENT_FORMATTING, editing.format_text, None),
        (types.TEXT_DOCUMENT_COMPLETION, completions.propose, completions.OPTIONS),
    ):
        server.feature(name, options)(answered(ask))


_RENAME = types.RenameOptions(prepare_provider=True)
_ACTIONS = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])


def _texts(server: FlowServer) -> None:
    @server.feature(types.INITIALIZED)
    def _(server: FlowServer, params: types.InitializedParams) -> None:
        for folder in server.workspace.folders.values():
            server.flows.add_folder(server.path(folder.uri))
        if not server.workspace.folders and server.workspace.root_uri:
            server.flows.add_folder(server.path(server.workspace.root_uri))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def _(server: FlowServer, params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        server.opened(document.uri, document.text, document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def _(server: FlowServer, params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        server.edited(document.uri, list(params.content_changes), document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def _(server: FlowServer, params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def _(server: FlowServer, params: types.DidSaveTextDocumentParams) -> None:
        server.all_soon()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def _(server: FlowServer, params: types.DidChangeWatchedFilesParams) -> None:
        server.all_soon()

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def _(server: FlowServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
        for folder in params.event.removed:
            server.flows.remove_folder(server.path(folder.uri))
        for folder in params.event.added:
            server.flows.add_folder(server.path(folder.uri))
        server.all_soon()
