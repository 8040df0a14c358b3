"""A headless Chromium that tests drive over a pipe, by the DevTools protocol: no port, no other package.

Contract: Chrome DevTools Protocol, "--remote-debugging-pipe": the browser reads commands from descriptor 3 and writes
answers and events to 4, each a JSON document ended by a zero byte.
"""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

ABSENT = "the tests of the pages need Chromium: apt-get install --no-install-recommends chromium, or put it on the PATH"
NAMES = ("chromium", "chromium-browser", "google-chrome")
WAIT_SECONDS = 30
_READ_BYTES = 1 << 20
_LOWEST_FREE = 10
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)

Scheme = Literal["light", "dark"]


def find() -> str | None:
    """Return where Chromium is; None where it is not."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One Chromium; used as a context manager, at whose end it is gone with its profile."""

    def __init__(self, program: str) -> None:
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        self._numbers = itertools.count(1)
        self._unread = b""
        self._pages: dict[str, Page] = {}
        flags = [*_FLAGS, f"--user-data-dir={self._profile}"]
        flags += ["--no-sandbox"] if os.geteuid() == 0 else []
        self._pid, self._to, self._from = _start(program, flags)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._to)
        os.close(self._from)
        _end(self._pid)
        shutil.rmtree(self._profile, ignore_errors=True)

    @contextmanager
    def page(
        self,
        path: Path,
        width: int = 1100,
        scheme: Scheme = "light",
        *,
        height: int = 800,
        media: str = "",
        scripts: bool = True,
    ) -> Iterator[Page]:
        """Open a file in a window of this width in CSS pixels; `media` may be "print"."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            page.call(f"{domain}.enable")
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        page.call("Emulation.setDeviceMetricsOverride", **metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.call("Emulation.setEmulatedMedia", media=media, features=features)
        page.call("Emulation.setScrollbarsHidden", hidden=True)
        page.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        page.call("Page.navigate", url=path.as_uri())
        page.wait_for("Page.loadEventFired")
        yield page
        self.call("Target.closeTarget", targetId=target)
        del self._pages[session]

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come before it go to their pages."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        command |= {"sessionId": session} if session else {}
        os.write(self._to, json.dumps(command).encode() + b"\0")
        until = time.monotonic() + WAIT_SECONDS
        while (message := self.receive(until)).get("id") != number:
            pass
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        result: dict[str, Any] = message["result"]
        return result

    def receive(self, until: float) -> dict[str, Any]:
        """Return the next message, which is given to its page if it is an event. Raises TimeoutError."""
        while b"\0" not in self._unread:
            if not select.select([self._from], [], [], max(until - time.monotonic(), 0))[0]:
                raise TimeoutError(f"Chromium did not answer within {WAIT_SECONDS} s")
            piece = os.read(self._from, _READ_BYTES)
            if not piece:
                raise RuntimeError("Chromium has ended")
            self._unread += piece
        text, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        page = self._pages.get(message.get("sessionId", ""))
        if page and "method" in message:
            page.events.append((message["method"], message["params"]))
        return message


@dataclass
class Page:
    """A page that is open, and all that was heard of it."""

    browser: Browser
    session: str
    events: list[tuple[str, Any]] = field(default_factory=list)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command to this page."""
        return self.browser.call(method, self.session, **parameters)

    def wait_for(self, event: str) -> None:
        """Wait until an event was heard."""
        until = time.monotonic() + WAIT_SECONDS
        while not any(name == event for name, _ in self.events):
            self.browser.receive(until)

    def run(self, script: str) -> Any:
        """Return the value of an expression of JavaScript. Raises AssertionError where it throws."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press a key, such as Tab (9) or Enter (13)."""
        given = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **given)
        self.call("Input.dispatchKeyEvent", type="keyUp", **given)

    def click(self, element: str) -> None:
        """Click with the mouse on the middle of an element, an expression of JavaScript."""
        box = self.run(f"{element}.getBoundingClientRect().toJSON()")
        at = {
            "x": box["x"] + box["width"] / 2,
            "y": box["y"] + box["height"] / 2,
            "button": "left",
            "clickCount": 1,
        }
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, **at)

    def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        self.call("Input.insertText", text=text)

    def complaints(self) -> list[str]:
        """Return what the console and the log were told: errors, warnings and violations of the policy."""
        heard = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
        return [json.dumps(told) for name, told in self.events if name in heard]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for."""
        return [told["request"]["url"] for name, told in self.events if name == "Network.requestWillBeSent"]

    def screenshot(self, path: Path) -> None:
        """Write a picture of the whole page, as PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        taken = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))


def _start(program: str, flags: list[str]) -> tuple[int, int, int]:
    """Start Chromium; return its id, and the descriptors to write to and to read from."""
    (read, to), (from_, write) = os.pipe(), os.pipe()
    # They must not be 3 or 4, which they are put onto.
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _LOWEST_FREE) for end in (read, write)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    puts: list[Any] = [(os.POSIX_SPAWN_DUP2, nowhere, number) for number in (0, 1, 2)]
    puts += [(os.POSIX_SPAWN_DUP2, end, number) for end, number in zip(theirs, (3, 4), strict=True)]
    pid = os.posix_spawn(program, [program, *flags], os.environ, file_actions=puts, setpgroup=0)
    for end in (read, write, nowhere, *theirs):
        os.close(end)
    return pid, to, from_


def _end(pid: int) -> None:
    """End Chromium and what it started, which is its process group; at once if it does not heed."""
    until = time.monotonic() + WAIT_SECONDS / 6
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        os.killpg(pid, signal.SIGTERM if time.monotonic() < until else signal.SIGKILL)
        time.sleep(0.02)
