"""Fetch pages and throw them away: URL BUCKET [--signed] [CONNECTIONS KEYS]. Prints the number, by KeyCount.

Bare, it needs the standard library only: bytes are received into one buffer and the next token is cut from the front
of the page. Signed, each request is made, signed and sent by botocore, as any client has to that is built on it, but
nothing of the page is parsed. Without a number of connections there is one chain of continuation tokens; with it each
connection takes its part of the pages, which only this server's tokens allow: that shows what can be answered.
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

_BUFFER = 1024 * 1024
_FRONT = 4096
_PAGE = 1000
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_COUNT = re.compile(rb"<KeyCount>(\d+)</KeyCount>")
_TOKEN = re.compile(rb"<NextContinuationToken>([^<]+)</NextContinuationToken>")


def chain(bucket: str, front_of: Callable[[str], bytes], token: str = "", pages: int = sys.maxsize) -> int:
    """Follow the tokens to the end, or for some pages; `front_of` fetches a target and returns the page's front."""
    keys = 0
    for _ in range(pages):
        more = f"&continuation-token={quote(token, safe='')}" if token else ""
        front = front_of(f"/{bucket}?list-type=2&encoding-type=url{more}")
        count, following = _COUNT.search(front), _TOKEN.search(front)
        if count is None:
            raise RuntimeError(f"not a page of a listing: {front[:300]!r}")
        keys += int(count[1])
        if following is None:
            break
        token = following[1].decode()
    return keys


def bare(url: str, bucket: str, token: str = "", pages: int = sys.maxsize) -> int:
    """Fetch a chain of pages over a socket."""
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 80
    buffer = memoryview(bytearray(_BUFFER))
    with socket.create_connection((host, port)) as connection:

        def front_of(target: str) -> bytes:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            return _receive(connection, buffer)

        return chain(bucket, front_of, token, pages)


def signed(connections: int) -> Callable[..., int]:
    """Return a function like `bare` that fetches as botocore does, over a pool of connections."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.httpsession import URLLib3Session

    signer = S3SigV4Auth(Credentials("benchmark", "benchmark"), "s3", "us-east-1")
    session = URLLib3Session(max_pool_connections=connections)

    def fetch(url: str, bucket: str, token: str = "", pages: int = sys.maxsize) -> int:
        def front_of(target: str) -> bytes:
            request = AWSRequest("GET", url + target)
            signer.add_auth(request)
            return bytes(session.send(request.prepare()).content[:_FRONT])

        return chain(bucket, front_of, token, pages)

    return fetch


def parallel(fetch: Callable[..., int], url: str, bucket: str, connections: int, keys: int) -> int:
    """Fetch over many connections, each its part of the pages."""
    pages = -(-keys // _PAGE)
    bounds = [pages * number // connections for number in range(connections + 1)]

    def part(number: int) -> int:
        first, count = bounds[number], bounds[number + 1] - bounds[number]
        return fetch(url, bucket, f"1{first * _PAGE:012x}==", count)

    with ThreadPoolExecutor(connections) as pool:
        return sum(pool.map(part, range(connections)))


def _receive(connection: socket.socket, buffer: memoryview) -> bytes:
    """Receive one response and return its front; the whole must fit the buffer."""
    held, end = 0, -1
    while end < 0 or held < end:
        got = connection.recv_into(buffer[held:])
        if not got:
            raise RuntimeError("the server closed the connection")
        held += got
        if end < 0:
            front = bytes(buffer[: min(held, _FRONT)])
            length, blank = _LENGTH.search(front), front.find(b"\r\n\r\n")
            if length and blank > 0:
                end = blank + 4 + int(length[1])
    return bytes(buffer[: min(held, _FRONT)])


def main(url: str, bucket: str, *options: str) -> int:
    """Fetch as the options say and return the number of keys."""
    numbers = [int(option) for option in options if option != "--signed"]
    fetch = signed(numbers[0] if numbers else 1) if "--signed" in options else bare
    return parallel(fetch, url, bucket, *numbers) if numbers else fetch(url, bucket)


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
