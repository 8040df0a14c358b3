"""What a command ends with when it can't do its work."""

from __future__ import annotations


class CommandError(Exception):
    """A message for the user, and the exit status: 1 for failures, 2 for bad input."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status
