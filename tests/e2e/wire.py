"""A wire between a client and a server that can be cut after the request, before the answer."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self


class Wire:
    """
    Passes bytes on both ways, each connection in threads of its own.

    Args:
        address: Where the server answers: `127.0.0.1:41234`.

    Attributes:
        swallows: Whether what the server sends is lost from now on, also that it is gone.
    """

    def __init__(self, address: str) -> None:
        """Listen at a port of the loopback."""
        host, _, port = address.rpartition(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._uncut = 0
        self._threads: list[threading.Thread] = []
        self.swallows = False
        self._start(self._accept)

    @property
    def address(self) -> str:
        """Where the client finds the server."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def cut(self) -> None:
        """End every connection, and lose nothing of those that follow."""
        self.swallows = False
        ended = self._sockets[self._uncut :]
        self._uncut += len(ended)
        for end in ended:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        """Return the wire."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take it down."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self.cut()
        for thread in self._threads:
            thread.join(10)
        for end in (self._listener, *self._sockets):
            end.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(self._server)
                except OSError:
                    near.close()
                    continue
                self._sockets += [near, far]
                self._start(self._pass, near, far, False)
                self._start(self._pass, far, near, True)

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                if not (answers and self.swallows):
                    sink.sendall(piece)
        with suppress(OSError):
            if not (answers and self.swallows):
                sink.shutdown(socket.SHUT_WR)
