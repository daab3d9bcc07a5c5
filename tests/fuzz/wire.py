"""HTTP as bytes on a socket, so that nothing stands between a test and the gateway."""

import asyncio
import time
from dataclasses import dataclass, field

ANSWER_SECONDS = 5.0
"""Every request is answered within so many seconds."""


@dataclass(frozen=True, slots=True)
class Sent:
    """
    A request as it goes out.

    Attributes:
        target: What stands between the method and `HTTP/1.1`; no line breaks.
        headers: Without Host and those that frame the body.
        body: None sends none.
        chunked: Whether the length of the body is left untold.
    """

    method: str
    target: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    body: bytes | None = None
    chunked: bool = False

    def raw(self) -> bytes:
        """Return the bytes of the request."""
        lines = [b"%s %s HTTP/1.1" % (self.method.encode(), self.target), b"Host: directory"]
        lines += [b"%s: %s" % (name.encode(), value) for name, value in self.headers]
        body = self.body or b""
        if self.chunked and body:
            lines.append(b"Transfer-Encoding: chunked")
            half = len(body) // 2 or 1
            parts = [part for part in (body[:half], body[half:]) if part]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        elif self.body is not None:
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + body


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What came back.

    Attributes:
        headers: By names in lower case.
        seconds: How long it took.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


@dataclass(slots=True)
class Wire:
    """A connection that is opened when it is needed, and again after it was closed."""

    host: str
    port: int
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None)

    async def send(self, sent: Sent) -> Reply:
        """Send a request and return its answer; TimeoutError, OSError or EOFError if none comes."""
        return await self.send_raw(sent.raw(), sent.method)

    async def send_raw(self, raw: bytes, method: str = "") -> Reply:
        """Send bytes and return the answer to them."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(self.host, self.port)
                reader, writer = self._streams
                writer.write(raw)
                status, headers = await _head(reader)
                while status < 200:
                    status, headers = await _head(reader)
                bodiless = method == "HEAD" or status in (204, 304)
                length = 0 if bodiless else int(headers.get("content-length", "0"))
                body = await reader.readexactly(length)
        except BaseException:
            await self.close()
            raise
        if headers.get("connection", "").lower() == "close":
            await self.close()
        return Reply(status, headers, body, time.perf_counter() - began)

    async def close(self) -> None:
        """Close the connection, if one is open."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return int(first.split(" ")[1]), headers
