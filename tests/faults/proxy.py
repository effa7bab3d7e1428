"""Stands between a program and a TCP server, and does to their connections what networks do."""

import ctypes
import socket
import struct
from contextlib import suppress
from threading import Event, Lock, Thread

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27  # asm-generic/socket.h; Python does not name them
RETURN_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # a classic BPF program: keep no byte of any packet
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards to a server, as long as it is not told otherwise; `mend` brings all back as it was."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._program = ctypes.create_string_buffer(RETURN_NOTHING)
        self._is_open, self._is_closing, self._lock = Event(), Event(), Lock()
        self._is_open.set()
        self._delay = 0.0
        self._links: set[tuple[socket.socket, socket.socket]] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self._listen()

    def refuse(self) -> None:
        """Nobody listens any more, and what was connected is reset."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)  # close alone does not wake who waits in accept
            self._listener = None
        self.reset()

    def reset(self) -> None:
        """What is connected is reset; who connects anew is served."""
        with self._lock:
            for client, server in self._links:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                with suppress(OSError):  # it may have left by itself
                    client.shutdown(socket.SHUT_RD)
                with suppress(OSError):
                    server.shutdown(socket.SHUT_RDWR)

    def hold(self) -> None:
        """Connections are made and stay, and nothing comes through: a server that hangs."""
        self._is_open.clear()

    def drop(self) -> None:
        """Whatever the client sends is lost unacknowledged, as behind a cut wire."""
        self.hold()
        with self._lock:
            for one in [self._listener, *(client for client, _ in self._links)]:
                if one is not None:
                    program = struct.pack("HL", 1, ctypes.addressof(self._program))
                    one.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    def delay(self, seconds: float) -> None:
        """Everything arrives, and later."""
        self._delay = seconds

    def mend(self) -> None:
        """Lets everything through again."""
        with self._lock:
            for one in [self._listener, *(client for client, _ in self._links)]:
                if one is not None:
                    with suppress(OSError):  # it had no filter
                        one.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        self._delay = 0.0
        self._is_open.set()
        if self._listener is None:
            self._listen()

    def close(self) -> None:
        """Ends all connections."""
        self._is_closing.set()
        self.mend()
        self.refuse()

    def _listen(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # Who has left behind the cut wire is not heard leaving: else its session would live on at the server.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
            client.setsockopt(socket.IPPROTO_TCP, option, 2)
        with client, socket.create_connection(self._target) as server:
            link = (client, server)
            with self._lock:
                self._links.add(link)
            back = Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()
            with self._lock:
                self._links.remove(link)

    def _pump(self, source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._is_open.wait()
                if self._delay:
                    self._is_closing.wait(self._delay)
                to.sendall(data)
        self._is_open.wait()
        for one in (source, to):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
