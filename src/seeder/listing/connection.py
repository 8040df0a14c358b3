"""One keep-alive HTTP/1.1 connection that never waits: a request out, and its response as it comes in.

Only what a page of a listing needs is understood: a 200 with a Content-Length or in chunks. All else is refused with
`Unusable`, and whoever asked asks again through boto3.
"""

from __future__ import annotations

import re
import socket
import ssl

_RECEIVE_BYTES = 256 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n")
# What says how long a body is, or may: more than one of these in a head, and it is not understood.
_FRAMING = re.compile(rb"\n(?:content-length|content-encoding|transfer-encoding|[ \t])")
_CLOSES = re.compile(rb"\r\nconnection:[^\r]*\bclose\b")
_BUSY = re.compile(rb"http/1\.1 (?:429|50[0234])\b")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r\n")
_LONGEST_CHUNK_LINE = 1024
_LONGEST_HEAD = 64 * 1024
_NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Unusable(Exception):
    """The response is not one that is understood here; `is_busy` tells that the server only could not serve it now."""

    def __init__(self, reason: str, is_busy: bool = False) -> None:
        super().__init__(reason)
        self.is_busy = is_busy


class Connection:
    """Owns a connected socket. One request at a time; all connections of a thread may share `scratch`.

    `reusable` tells whether it may be asked again; `has_served` is for the user to note that it was of use.
    """

    def __init__(self, connected: socket.socket, scratch: memoryview | None = None) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._scratch = scratch or memoryview(bytearray(_RECEIVE_BYTES))
        self.has_served = False
        self._forget()

    def _forget(self) -> None:
        self._data = bytearray()
        self._body_at = -1
        self._end = -1
        self._chunks: list[slice] = []
        self._next_chunk = 0
        self.reusable = True

    def fileno(self) -> int:
        """Return the socket's descriptor, for a selector."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def is_quiet(self) -> bool:
        """Tell whether the server has neither ended the connection nor sent what nobody asked for."""
        try:
            self._socket.recv(1)
        except _NOTHING_YET:
            return True
        except OSError:
            pass
        return False

    def send(self, message: bytes) -> None:
        """Send a whole request. Raises Unusable."""
        self._forget()
        try:
            sent = self._socket.send(message)
        except OSError as error:
            raise Unusable(str(error)) from error
        if sent != len(message):
            raise Unusable("the connection takes no whole request")

    def receive(self) -> bytes | None:
        """Take what has come; return the body once it is whole. Raises Unusable."""
        while True:
            try:
                count = self._socket.recv_into(self._scratch)
            except _NOTHING_YET:
                return None
            except OSError as error:
                raise Unusable(str(error)) from error
            if not count:
                raise Unusable("the connection was closed")
            self._data += self._scratch[:count]
            if self._body_at < 0:
                self._read_head()
            if self._body_at >= 0 and self._is_whole():
                return self._body()

    def _read_head(self) -> None:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            if len(self._data) > _LONGEST_HEAD or b"\n\n" in self._data:
                raise Unusable("a head without end")
            return
        head = bytes(self._data[: end + 2]).lower()
        if not head.startswith(b"http/1.1 200 "):
            raise Unusable(head[:80].decode("latin-1"), is_busy=bool(_BUSY.match(head)))
        length, chunked = _LENGTH.search(head), _CHUNKED.search(head)
        if not (length or chunked) or len(_FRAMING.findall(head)) > 1:
            raise Unusable("a response of unknown length or encoding")
        self._body_at = self._next_chunk = end + 4
        self._end = self._body_at + int(length[1]) if length else -1
        self.reusable = not _CLOSES.search(head)

    def _is_whole(self) -> bool:
        if self._end >= 0:
            if len(self._data) > self._end:
                raise Unusable("more bytes than were announced")
            return len(self._data) == self._end
        while size := _CHUNK_SIZE.match(self._data, self._next_chunk):
            start = size.end()
            stop = start + int(size[1], 16)
            if start == stop:
                return self._ends_after_trailers(start - 2)
            if len(self._data) < stop + 2:
                return False
            if self._data[stop : stop + 2] != b"\r\n":
                raise Unusable("a chunk that does not end where it should")
            self._chunks.append(slice(start, stop))
            self._next_chunk = stop + 2
        left = len(self._data) - self._next_chunk
        if left > _LONGEST_CHUNK_LINE or self._data.find(b"\n", self._next_chunk) >= 0:
            raise Unusable("a chunk of unknown size")
        return False

    def _ends_after_trailers(self, start: int) -> bool:
        end = self._data.find(b"\r\n\r\n", start)
        if end < 0 and len(self._data) > start + _LONGEST_HEAD:
            raise Unusable("trailers without end")
        if end >= 0 and end + 4 != len(self._data):
            raise Unusable("more bytes than were announced")
        return end >= 0

    def _body(self) -> bytes:
        view = memoryview(self._data)
        if self._end >= 0:
            body = bytes(view[self._body_at :])
        else:
            body = b"".join(view[chunk] for chunk in self._chunks)
        view.release()
        self._data = bytearray()
        return body
