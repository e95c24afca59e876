"""JSON-RPC as an editor meets it: what is no message of the protocol is answered with the error
that the protocol has for it, never with silence, and costs nothing but itself.

The library's own way leaves such a request without an answer and writes a traceback to the log.
"""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import urlsplit

from cattrs import transform_error
from lsprotocol import types
from pygls.exceptions import JsonRpcMethodNotFound
from pygls.protocol import LanguageServerProtocol, lsp_method

_log = logging.getLogger("orchestrate.lsp")

_PARSE_ERROR = types.ErrorCodes.ParseError
_INVALID_REQUEST = types.ErrorCodes.InvalidRequest
_METHOD_NOT_FOUND = types.ErrorCodes.MethodNotFound
_INVALID_PARAMS = types.ErrorCodes.InvalidParams
_NOT_INITIALIZED = types.ErrorCodes.ServerNotInitialized


class FlowProtocol(LanguageServerProtocol):
    """One session's messages: `initialize` first, nothing but `exit` after `shutdown`."""

    _begun = False

    def receive(self, body: bytes) -> None:
        """Takes a message as it came."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            self._refuse(None, _PARSE_ERROR, f"this is no JSON: {error}")
            return
        if not isinstance(message, dict) or message.get("jsonrpc") != self.VERSION:
            named = message.get("id") if isinstance(message, dict) else None
            self._refuse(
                _id(named), _INVALID_REQUEST, 'a message is an object with "jsonrpc": "2.0"'
            )
        elif "method" not in message:
            self._answered(message)
        elif not isinstance(message["method"], str):
            self._refuse(_id(message.get("id")), _INVALID_REQUEST, "`method` must be a string")
        elif "id" in message:
            self._asked(message)
        else:
            self._told(message)

    def _asked(self, message: dict[str, Any]) -> None:
        number, method = message["id"], message["method"]
        if _id(number) is None:
            self._refuse(None, _INVALID_REQUEST, "`id` must be a number or a string")
        elif self._shutdown:
            self._refuse(number, _INVALID_REQUEST, "the session was shut down")
        elif not self._begun and method != types.INITIALIZE:
            self._refuse(number, _NOT_INITIALIZED, f"`{method}` came before `initialize`")
        elif self._begun and method == types.INITIALIZE:
            self._refuse(number, _INVALID_REQUEST, "the session was initialized before")
        elif not self._knows(method) or self.get_result_type(method) is None:
            self._refuse(number, _METHOD_NOT_FOUND, f"there is no method `{method}`")
        elif isinstance(found := self._read(message), str):
            self._refuse(number, _INVALID_PARAMS, f"wrong parameters of `{method}`: {found}")
        else:
            self._begun = True
            self.handle_message(found)

    def _told(self, message: dict[str, Any]) -> None:
        """A notification has no answer: what makes no sense is passed over."""
        method = message["method"]
        if method != types.EXIT and (self._shutdown or not self._begun or not self._knows(method)):
            return
        found = self._read(message)
        if isinstance(found, str):
            _log.warning("wrong parameters of `%s`: %s", method, found)
        else:
            self.handle_message(found)

    def _answered(self, message: dict[str, Any]) -> None:
        """An answer to a question that was asked; any other is passed over."""
        if self._shutdown or _id(message.get("id")) not in self._request_futures:
            return
        found = self._read(message)
        if isinstance(found, str):
            _log.warning("an answer is wrong: %s", found)
        else:
            self.handle_message(found)

    def _knows(self, method: str) -> bool:
        try:
            return bool(self._get_handler(method))
        except JsonRpcMethodNotFound:
            return method == types.CANCEL_REQUEST

    def _read(self, message: dict[str, Any]) -> Any:
        """The message as the library has it, or a sentence that says what is wrong with it."""
        kind: Any
        if "method" in message:
            kind = self.get_message_type(message["method"])
        elif "error" in message:
            kind = types.ResponseErrorMessage
        else:
            kind = self._result_types.get(message["id"])
        try:
            found = self._converter.structure(message, kind)
            if isinstance(found, types.InitializeRequest):
                urlsplit(found.params.root_uri or "")  # the library trips over one that is none
            return found
        except Exception as error:
            return "; ".join(transform_error(error, path="message"))

    def _refuse(self, number: int | str | None, code: types.ErrorCodes, sentence: str) -> None:
        # The library leaves out an `id` that is null, which JSON-RPC wants to see.
        error = {"code": code.value, "message": sentence}
        self._send_data({"jsonrpc": self.VERSION, "id": number, "error": error})

    # The texts are the server's own. The library would keep them as well, with lines that end where
    # Unicode's do, not where the protocol's do, and refuses some of their names.

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: Any) -> None:
        """Hands it on."""
        self._hand_on(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: Any) -> None:
        """Hands it on."""
        self._hand_on(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: Any) -> None:
        """Hands it on."""
        self._hand_on(types.TEXT_DOCUMENT_DID_CLOSE, params)

    def _hand_on(self, method: str, params: Any) -> None:
        self.fm.features[method](params)


def _id(value: Any) -> int | str | None:
    """An id that can be answered."""
    return value if type(value) in (int, str) else None
