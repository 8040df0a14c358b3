"""The end of a run: uploads that no call will go on with are aborted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from seeder.clients import Clients
from seeder.large import outcome, uploads
from seeder.large.notes import Noted, Notes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AT_ONCE = 16
REASON = "the run ended"


class Abandoned(NamedTuple):
    """How many uploads were aborted, and why others could not be: `s3://bucket/key: code: why`."""

    aborted: int
    problems: list[str]


def abandon(s3: S3Client, bucket: str, clients: Clients, run_id: str, copier: str = "") -> Abandoned:
    """Abort every unfinished upload noted under a run. Can be repeated; what had problems is tried again.

    `s3` and `bucket` are those of the state. `copier` is what S3 shows of who begins the copies' uploads, or a piece
    of it, such as `:assumed-role/<role>/`; with it, uploads are found too whose ids a dying call could not note.
    To be called when the job has ended: a call that is still copying finds its upload gone. Raises ClientError.
    """
    notes = Notes(s3, bucket, run_id)

    def end(key: str) -> tuple[int, str]:
        noted = notes.read(key)
        try:
            return _end(notes, noted, clients, copier), ""
        except outcome.FAILURES as error:
            note = noted.note
            return 0, f"s3://{note.destination}/{note.key}: {outcome.failed(error).text}" if note else ""

    with ThreadPoolExecutor(AT_ONCE, "abandon") as pool:
        ended = list(pool.map(end, notes.keys()))
    return Abandoned(sum(count for count, _ in ended), [problem for _, problem in ended if problem])


def _end(notes: Notes, noted: Noted, clients: Clients, copier: str) -> int:
    note = noted.note
    if note is None or note.state in {"done", "failed"}:
        return 0
    s3 = clients.s3(note.region)
    if note.upload_id:
        uploads.abort(s3, note.destination, note.key, note.upload_id)
        told = {"state": "failed", "reason": note.reason or REASON}
        notes.swap(noted, note.model_copy(update=told))
        return 1
    if copier:
        return uploads.abort_lost(s3, note.destination, note.key, note.others, lambda who: copier in who)
    return 0
