"""What the server offers, one function for each kind of question."""

from __future__ import annotations

from lsprotocol import types

from dsl.editor.hover import hover
from orchestrator.lsp.messages import location
from orchestrator.lsp.server import FlowServer, answered


def register(server: FlowServer) -> None:
    """Offers everything."""
    _texts(server)
    for name, ask in (
        (types.TEXT_DOCUMENT_HOVER, _hover),
        (types.TEXT_DOCUMENT_DEFINITION, _definition),
    ):
        server.feature(name)(answered(ask))


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


def _hover(server: FlowServer, params: types.HoverParams) -> types.Hover | None:
    place = server.place(params.text_document.uri, params.position)
    found = hover(*place) if place else None
    if place is None or found is None:
        return None
    text = types.MarkupContent(types.MarkupKind.Markdown, found.text)
    return types.Hover(text, server.positions(place[0].source).range(found.at))


def _definition(server: FlowServer, params: types.DefinitionParams) -> types.Location | None:
    place = server.place(params.text_document.uri, params.position)
    found = place[0].index.at(place[1]) if place else None
    return location(found.target.at, server.positions, server.uri) if found else None
