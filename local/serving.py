"""Two ways to call a simulator: over a socket, or in-process with a `requests` session."""

from __future__ import annotations

import errno
import io
import ssl
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOOPBACK = "127.0.0.1"
THREADS = 16
WITHOUT_PREFIX = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
"""The headers that WSGI passes without `HTTP_` before the name (PEP 3333)."""
BACKLOG = 128
"""Length of the accept queue. With cheroot's default of 5, some of 16 simultaneous connections are
reset."""


class ConnectionDroppedError(ConnectionResetError):
    """Raised by a simulator to close the connection without a response (reset and time-out faults).

    It has the error number ECONNRESET: for this error cheroot closes the socket silently. Any other
    exception becomes a response with status 500.
    """

    def __init__(self, reason: str = "connection dropped") -> None:
        super().__init__(errno.ECONNRESET, reason)


class LenientConnection(HTTPConnection):
    """A connection that also accepts a path with two slashes at its beginning.

    cheroot takes the first segment of such a path for a host. The application finds the whole path
    in `REQUEST_URI`.
    """

    RequestHandlerClass = partial(HTTPRequest, proxy_mode=True)


class ServedApplication:
    """A WSGI application served on a loopback port, in its own thread; a context manager.

    Port 0 selects a free port. With `certificate` and `key` (PEM files) it uses HTTPS.
    `double_slash`: paths that begin with two slashes reach the application.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        port: int = 0,
        certificate: Path | None = None,
        key: Path | None = None,
        double_slash: bool = False,
    ) -> None:
        self._server = Server(
            (LOOPBACK, port), application, numthreads=THREADS, request_queue_size=BACKLOG
        )
        if double_slash:
            self._server.ConnectionClass = LenientConnection
        self._scheme = "http"
        if certificate is not None and key is not None:
            adapter = BuiltinSSLAdapter(str(certificate), str(key))
            adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._server.ssl_adapter = adapter
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve, daemon=True)

    def start(self) -> str:
        """Bind the port, serve in the background and return the base URL."""
        self._server.prepare()
        self._thread.start()
        return self.url

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return f"{self._scheme}://{LOOPBACK}:{self._server.bind_addr[1]}"

    def stop(self) -> None:
        """Stop serving and wait for the requests in progress."""
        self._server.stop()
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def as_latin_1(value: str | bytes) -> str:
    """Return a header as WSGI passes it: each byte as a character of Latin-1."""
    return (value.encode("utf-8") if isinstance(value, str) else value).decode("latin-1")


def unread(status: int, body: bytes, encoding: str = "") -> HTTPResponse:
    """Return the raw form of a response with its body unread, for the client to read.

    `encoding`: how the body is compressed; of the headers only this one matters here.
    """
    headers = {"Content-Encoding": encoding} if encoding else None
    return HTTPResponse(io.BytesIO(body), headers=headers, status=status, preload_content=False)


class InProcessAdapter(BaseAdapter):
    """A `requests` transport that passes each request to a WSGI application, without a socket.

    With `session.mount("https://acme.my.salesforce.com", InProcessAdapter(org))` the real client
    code runs unchanged. `ConnectionDroppedError` becomes `requests.ConnectionError`.
    """

    def __init__(self, application: WSGIApplication) -> None:
        super().__init__()
        self._application = application

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002, ARG002
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,  # noqa: ARG002
        verify: bool | str = True,  # noqa: FBT001, FBT002, ARG002
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """Run the application on one prepared request and return its response."""
        environ = self._environ(request)
        try:
            body, status, headers = run_wsgi_app(self._application, environ, buffered=True)
            content = b"".join(body)
        except ConnectionDroppedError as error:
            raise requests.ConnectionError("connection dropped", request=request) from error
        response = requests.Response()
        response.status_code = int(status.split(" ", 1)[0])
        response.reason = status.partition(" ")[2]
        response.headers = CaseInsensitiveDict(headers.items())
        response.url = request.url or ""
        response.request = request
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        encoding = response.headers.get("Content-Encoding", "")
        response.raw = unread(response.status_code, content, encoding)
        return response

    def close(self) -> None:
        """Do nothing: there is no open connection."""

    @staticmethod
    def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
        parts = urlsplit(request.url or "")
        raw = request.body or b""
        body = raw.encode() if isinstance(raw, str) else raw
        host, _, port = parts.netloc.partition(":")
        environ = {
            "REQUEST_METHOD": request.method or "GET",
            "SCRIPT_NAME": "",
            # PEP 3333: the bytes of the path, each as a character of Latin-1.
            "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
            "QUERY_STRING": parts.query,
            "REQUEST_URI": request.path_url,
            "SERVER_NAME": host,
            "SERVER_PORT": port or ("443" if parts.scheme == "https" else "80"),
            "HTTP_HOST": parts.netloc,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": parts.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in WITHOUT_PREFIX else f"HTTP_{key}"] = as_latin_1(value)
        return environ
