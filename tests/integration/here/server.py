"""Runs in this process, and by the real command, against a server of SeaweedFS; what the buckets hold, from outside."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sysconfig
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from seeder_cli.display import Display
from seeder_cli.follow import Outcome
from seeder_cli.here import HereOptions, run_here
from seeder_cli.place import Place

STATE = "seeder-state"
_numbers = count(1)


class Held(NamedTuple):
    """An object as its readers get it."""

    body: bytes
    kind: str
    metadata: dict[str, str]
    tags: dict[str, str]


class Ran(NamedTuple):
    """A run that has ended, and the lines that it showed."""

    outcome: Outcome
    lines: str

    @property
    def record(self) -> dict[str, Any]:
        return dict(self.outcome.stages["record"])


class Pair:
    """Two fresh buckets of a server, which a client reaches."""

    def __init__(self, s3: Any) -> None:
        number = next(_numbers)
        self.s3 = s3
        self.source, self.destination = f"source-{number}", f"replica-{number}"
        for bucket in (self.source, self.destination):
            s3.create_bucket(Bucket=bucket)

    def fill(self, bodies: Mapping[str, bytes], **given: Any) -> None:
        """Put objects into the source."""
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(
                    lambda key: self.s3.put_object(Bucket=self.source, Key=key, Body=bodies[key], **given),
                    bodies,
                )
            )

    def run(self, **fields: Any) -> Ran:
        """Run a pair in this process."""
        stream = io.StringIO()
        document = {"source": self.source, "destination": self.destination, **fields}
        with Display(stream) as display:
            outcome = run_here(document, Place(), display, HereOptions())
        return Ran(outcome, stream.getvalue())

    def held(self, bucket: str) -> dict[str, Held]:
        """Return what a bucket holds, read object by object."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        with ThreadPoolExecutor(8) as pool:
            return dict(zip(keys, pool.map(lambda key: self._read(bucket, key), keys), strict=True))

    def uploads(self) -> list[Any]:
        """Return the unfinished uploads of the pair and of the state."""
        return [
            upload
            for bucket in (self.source, self.destination, STATE)
            for upload in self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        ]

    def claims(self) -> list[Any]:
        """Return who has claims of any pair."""
        listed = self.s3.list_objects_v2(Bucket=STATE, Prefix="metastore/claims/").get("Contents", [])
        documents = [
            json.loads(self.s3.get_object(Bucket=STATE, Key=item["Key"])["Body"].read()) for item in listed
        ]
        return [holder for document in documents for holder in document["body"]["holders"]]

    def _read(self, bucket: str, key: str) -> Held:
        answer = self.s3.get_object(Bucket=bucket, Key=key)
        tags = self.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        return Held(
            answer["Body"].read(),
            answer["ContentType"],
            answer["Metadata"],
            {tag["Key"]: tag["Value"] for tag in tags},
        )


class Command:
    """The real command in a process of its own; `wait_for` reads what it prints."""

    def __init__(self, pair: Pair, *options: str) -> None:
        program = str(Path(sysconfig.get_path("scripts")) / "seeder")
        self.process = subprocess.Popen(
            [program, "run", "--here", pair.source, pair.destination, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        self.text = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, text: str, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < until, self.text
            assert self.process.poll() is None or text in self.text, self.text
            time.sleep(0.02)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self, seconds: float = 60) -> tuple[int, str]:
        """Return the exit status and all that was printed."""
        status = self.process.wait(seconds)
        self._reader.join(seconds)
        return status, self.text

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line
        self.process.stdout.close()
