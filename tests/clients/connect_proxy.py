"""A proxy that leads the login hosts of Salesforce to the simulated org, by HTTP `CONNECT`.

Some clients call `https://login.salesforce.com` and let nobody choose another host. They all obey
`HTTPS_PROXY`, so that no client is changed. The certificate of the org is valid for these hosts.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from types import TracebackType
from typing import Self

LOGIN_HOSTS = frozenset({"login.salesforce.com:443", "test.salesforce.com:443"})
CHUNK_BYTES = 65_536


class _Tunnel(socketserver.StreamRequestHandler):
    """One connection of a client: refused, or joined to the org until either side closes it."""

    server: _Server

    def handle(self) -> None:
        """Answer `CONNECT host:port`; the lines of the header that follow it are read over."""
        method, _, rest = self.rfile.readline().decode("latin-1").partition(" ")
        address = rest.partition(" ")[0].lower()
        while self.rfile.readline().strip():
            pass
        own = "{}:{}".format(*self.server.org)  # some clients send every call to the proxy
        if method != "CONNECT" or address not in LOGIN_HOSTS | {own}:
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(self.server.org) as org:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            backward = threading.Thread(target=_copy, args=(org, self.connection), daemon=True)
            backward.start()
            _copy(self.connection, org)
            backward.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, org: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.org = org


class ConnectProxy:
    """The proxy on a free loopback port; a context manager."""

    def __init__(self, port_of_org: int) -> None:
        self._server = _Server(("127.0.0.1", port_of_org))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The value of `HTTPS_PROXY`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until the source is closed, then close the target for writing."""
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
