"""Clients of every service that a check asks, for a region each, quick to give up."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config

from seeder_cli.checks.finding import Fact

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=32,
)


class Aws:
    """An account as seen by one session. `region` is where the stack is; raises nothing until it is used."""

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self.caller = Fact(lambda: self.client("sts").get_caller_identity())

    @property
    def region(self) -> str:
        """The session's region; "" where none is set."""
        return self._session.region_name or ""

    @property
    def account(self) -> str:
        """The account's id, 12 digits. Raises ClientError, BotoCoreError."""
        return str(self.caller()["Account"])

    @property
    def partition(self) -> str:
        """The partition of all ARNs here, such as "aws". Raises ClientError, BotoCoreError."""
        return str(self.caller()["Arn"]).split(":")[1]

    def client(self, service: str, region: str = "") -> Any:
        """Return the client of a service in a region, the stack's where none is given; one each."""
        place = (service, region or self.region)
        with self._lock:  # a session makes clients in one thread at a time
            if place not in self._clients:
                make: Any = self._session.client
                self._clients[place] = make(service, region_name=place[1], config=_CONFIG)
            return self._clients[place]
