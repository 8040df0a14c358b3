"""DeleteObjects, where a caller may delete some of what it names: the rest comes back as errors of a 200.

Contract: S3 API reference, DeleteObjects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from localcloud.authorization.calls import local_name
from localcloud.authorization.refusals import as_xml
from localcloud.authorization.s3 import deleted

if TYPE_CHECKING:
    from collections.abc import Callable

    from localcloud.authorization.calls import Call
    from localcloud.authorization.needs import Need
    from localcloud.authorization.refusals import Answer

_EMPTY = '<?xml version="1.0" encoding="UTF-8"?><DeleteResult></DeleteResult>'


def delete_some(
    call: Call,
    request: AWSPreparedRequest,
    refused: list[tuple[Need, str]],
    process: Callable[[AWSPreparedRequest], Answer | None],
) -> Answer | None:
    """Have all but the refused deleted; return the answer with an error, given its message, for each of them."""
    prefix = f"arn:aws:s3:::{call.place[0]}/"
    messages = {
        (need.resource.removeprefix(prefix), need.context.get("s3:VersionId")): message
        for need, message in refused
    }
    errors = "".join(
        f"<Error><Key>{as_xml(key)}</Key>{f'<VersionId>{as_xml(version)}</VersionId>' if version else ''}"
        f"<Code>AccessDenied</Code><Message>{as_xml(messages[key, version])}</Message></Error>"
        for key, version in deleted(call)
        if (key, version) in messages
    )
    rest = _without(call, set(messages))
    answer = process(_replaced(request, rest)) if rest else (200, {"content-type": "application/xml"}, _EMPTY)
    if answer is None or answer[0] != 200:
        return answer
    status, headers, body = answer
    text = body if isinstance(body, str) else bytes(body).decode()
    kept = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    head, _, tail = text.rpartition("</DeleteResult>")
    return status, kept, f"{head}{errors}</DeleteResult>{tail}".encode()


def _without(call: Call, refused: set[tuple[str, object]]) -> bytes:
    """Return the request's document without some objects; b"" where none is left."""
    root = call.xml
    for element in root.iter():
        element.tag = local_name(element)
    for (key, version), element in zip(deleted(call), root.findall("Object"), strict=True):
        if (key, version) in refused:
            root.remove(element)
    return ElementTree.tostring(root) if root.find("Object") is not None else b""


def _replaced(request: AWSPreparedRequest, body: bytes) -> AWSPreparedRequest:
    left_out = ("content-length", "content-md5")
    headers = HTTPHeaders.from_dict(
        {name: value for name, value in request.headers.items() if name.lower() not in left_out}
    )
    return AWSPreparedRequest(request.method, request.url, headers, body, False)
