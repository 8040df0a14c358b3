"""The local cloud's door for other processes: HTTP on 127.0.0.1, answered by the same moto as calls inside.

A request is given the AWS host that its signature names and handed to moto's own dispatch, so both doors behave
alike, for every key. It also serves as a forward proxy, for clients that insist on a host name of their own
(boto3's s3control always puts the account id before the host).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from moto.backends import get_backend
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from localcloud.aws import ACCOUNT_ID, REGION
from localcloud.s3.content import Content

_dispatcher = DomainDispatcherApplication(get_backend)


class QuietHandler(MotoRequestHandler):
    """Handles requests without a line for each on standard error."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Print nothing."""

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """End the connection, so that who waits for an answer does not wait any longer."""
        self.close_connection = True


class Server:
    """An HTTP server on 127.0.0.1, running in a thread from `start` to `stop`."""

    def __init__(self, port: int = 0) -> None:
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", port, application, threaded=True, request_handler=QuietHandler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The endpoint that clients are given."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> Server:
        """Serve until stopped."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and release the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def environment(self, region: str = REGION) -> dict[str, str]:
        """Return the variables with which the AWS CLI and SDKs reach this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_S3_CONTROL": f"http://s3-control.{region}.amazonaws.com",
            "HTTP_PROXY": self.url,
            "NO_PROXY": "127.0.0.1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": region,
        }


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request (WSGI)."""
    request = AWSPreparedRequest(
        method=environ["REQUEST_METHOD"],
        url=f"http://{_host(environ)}{_target(environ)}",
        headers=_headers(environ),
        body=_body(environ),
        stream_output=False,
    )
    try:
        answer = BotocoreStubber().process_request(request)
    except ReadTimeoutError:  # a fault: the client is to get no answer
        raise ConnectionAbortedError from None
    status, headers, body = answer or (404, {}, "not an AWS request")
    payload = body if isinstance(body, Content) else body.encode() if isinstance(body, str) else bytes(body)
    fields = {str(name).lower(): str(value) for name, value in dict(headers).items()}
    fields.setdefault("content-length", str(len(payload)))
    start_response(f"{status} {HTTPStatus(status).phrase}", list(fields.items()))
    if environ["REQUEST_METHOD"] == "HEAD":
        return []
    return payload.chunks() if isinstance(payload, Content) else [payload]


def _body(environ: dict[str, Any]) -> bytes:
    if environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read())
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def _host(environ: dict[str, Any]) -> str:
    asked = str(environ.get("HTTP_HOST", ""))
    if asked.endswith(".amazonaws.com"):
        return asked
    host = _dispatcher.infer_service_region_host(environ, environ.get("PATH_INFO", ""))
    if host == "s3control":
        return f"{ACCOUNT_ID}.s3-control.{REGION}.amazonaws.com"
    return host or f"s3.{REGION}.amazonaws.com"


def _target(environ: dict[str, Any]) -> str:
    target = str(environ.get("RAW_URI") or environ["REQUEST_URI"])
    if not target.startswith("/"):
        target = "/" + target.split("/", 3)[3]
    return target


def _headers(environ: dict[str, Any]) -> HTTPHeaders:
    headers = HTTPHeaders()
    spelled = environ.get(PRESERVED_HEADER_NAMES_ENVIRON_KEY, {})
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            headers[spelled.get(key, key[5:].replace("_", "-"))] = value
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers[key.replace("_", "-")] = environ[key]
    return headers
