"""What the server does with what is written, held against S3: uploads, and the bucket of what was copied."""

from __future__ import annotations

import http.client
import random
import tempfile
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from benchmarks.synthetic.copies import COPIED, FAILED_ONCE
from benchmarks.synthetic.service import COPIES, Service, Settings
from benchmarks.synthetic.spaces import bucket

_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_PART = 5 * 1024 * 1024


def check_uploads() -> None:
    """Upload in parts and at once, against a running server. Raises AssertionError."""
    from benchmarks.s3server import HOST, running

    with running(Settings(keys=10, keep_all=True), processes=2) as server:

        def call(method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes, str]:
            connection = http.client.HTTPConnection(HOST, server.port, timeout=10)
            connection.request(
                method, path, body, {name.replace("_", "-"): text for name, text in headers.items()}
            )
            response = connection.getresponse()
            content, etag = response.read(), response.getheader("ETag", "")
            connection.close()
            return response.status, content, etag

        agree(call("PUT", "/b/k", b"one", if_none_match="*")[0], 200, "create")
        agree(call("PUT", "/b/k", b"two", if_none_match="*")[0], 412, "create again")
        agree(call("GET", "/b/k")[1], b"one", "get")
        agree(call("HEAD", "/b/k")[2], call("GET", "/b/k")[2], "head")
        upload = call("POST", "/b/m?uploads")[1].split(b"<UploadId>")[1].split(b"<")[0].decode()
        sent = [b"x" * _PART, b"the end"]
        etags = [
            call("PUT", f"/b/m?partNumber={n}&uploadId={upload}", part)[2] for n, part in enumerate(sent, 1)
        ]
        agree(call("GET", f"/b/m?uploadId={upload}")[1].count(b"<Part>"), 2, "list parts")
        parts = "".join(
            f"<Part><ETag>{e}</ETag><PartNumber>{n}</PartNumber></Part>" for n, e in enumerate(etags, 1)
        )
        document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        agree(call("POST", f"/b/m?uploadId={upload}", document, if_none_match="*")[0], 200, "complete")
        agree(call("GET", "/b/m")[1], b"".join(sent), "the uploaded object")
        tail = call("GET", "/b/m", range=f"bytes={_PART - 1}-")
        agree(tail[:2], (206, b"xthe end"), "a range of it")
        agree(call("PUT", "/b/k", b"two", if_match='"else"')[0], 412, "replace another")
        agree(call("PUT", "/b/k", b"two", if_match=call("HEAD", "/b/k")[2])[0], 200, "replace")
        agree(call("POST", f"/b/m?uploadId={upload}", document)[0], 404, "complete again")
        agree(call("DELETE", "/b/m")[0], 204, "delete")
        agree(call("GET", "/b/m")[0], 404, "get what was deleted")


def check_copies(drawn: random.Random) -> int:
    """List what was copied, at each of many shares, in pages of drawn sizes; return how many pages were checked.

    Raises AssertionError.
    """
    space, pages = bucket("flat", 3000).objects, 0
    with tempfile.TemporaryDirectory() as directory:
        marks = Path(directory) / "marks"
        for share in (0, 1, 500, 999, 1000):
            held = [drawn.randrange(1000) < share for _ in range(space.keys)]
            marks.write_bytes(bytes(COPIED if here else drawn.choice((0, FAILED_ONCE)) for here in held))
            service = Service(Settings("flat", space.keys, marks=marks), Path(directory))
            wanted = [space.key(index) for index, here in enumerate(held) if here]
            seen: list[bytes] = []
            more: str | None = ""
            while more is not None:
                asked = f"/{COPIES}?list-type=2&max-keys={drawn.randrange(1, 1001)}{more}"
                root = ElementTree.fromstring(service.answer("GET", asked, {}, b"").body)  # noqa: S314 - our own
                seen += [(item.findtext(f"{_S3}Key") or "").encode() for item in root.iter(f"{_S3}Contents")]
                agree(
                    root.findtext(f"{_S3}IsTruncated"),
                    str(len(seen) < len(wanted)).lower(),
                    "whether more follow",
                )
                token, after = (
                    root.findtext(f"{_S3}NextContinuationToken") or "",
                    seen[-1].decode() if seen else "",
                )
                more = drawn.choice((f"&continuation-token={quote(token)}", f"&start-after={after}"))
                more, pages = more if token else None, pages + 1
            agree(seen, wanted, f"what was copied, {share} of 1,000")
    return pages


def agree(actual: object, expected: object, what: str) -> None:
    """Raise AssertionError where the server does not what it should."""
    if actual != expected:
        raise AssertionError(f"{what}: {str(actual)[:500]} instead of {str(expected)[:500]}")
