"""The account of a scene: its buckets made, and all of it forgotten before the next."""

from __future__ import annotations

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from localcloud.batch_operations.models import batch_operations_backends
from tests.chaos.scene import Item, Scene
from tests.e2e.deployed import ACCOUNT, EUROPE, HOME, Deployed

LARGE_BYTES = 5 * 1024**3 + 1


def make_pairs(deployed: Deployed, scene: Scene) -> list[tuple[str, str]]:
    """Make the buckets of a scene; return each source with its destination. Two rules have one source."""
    made: list[tuple[str, str]] = []
    for number in range(2 if scene.trigger in ("fleet of two pairs", "a rule is added") else 1):
        one_source = number and scene.trigger == "a rule is added"
        source = made[0][0] if one_source else deployed.bucket()
        destination = deployed.bucket(EUROPE)
        made.append((source, destination))
        if not one_source:
            for item in scene.items[: 2 if number else None]:
                _put(deployed, source, destination, item)
        if scene.has_rule and scene.trigger != "a rule is added":
            deployed.add_rule(source, destination)
    return made


def _put(deployed: Deployed, source: str, destination: str, item: Item) -> None:
    here, there = deployed.cloud.client("s3"), deployed.cloud.client("s3", EUROPE)
    if item.large:
        deployed.cloud.declare_object(source, item.key, LARGE_BYTES, part_size=LARGE_BYTES // 3 + 1)
        return
    more = {"Tagging": "team=finance"} if item.tagged else {}
    for number in range(item.versions):
        body = f"{item.key} {number}".encode()
        here.put_object(Bucket=source, Key=item.key, Body=body, StorageClass=item.storage_class, **more)
    if item.there:
        there.put_object(Bucket=destination, Key=item.key, Body=body)
    if item.deleted:
        here.delete_object(Bucket=source, Key=item.key)


def reset(deployed: Deployed) -> None:
    """Forget all that scenes have left: buckets, jobs, roles and what stands in the state bucket."""
    backend = s3_backends[ACCOUNT]["aws"]
    for name in [name for name in backend.buckets if name.startswith("bucket-")]:
        del backend.buckets[name]
        s3_backends.bucket_accounts.pop(name, None)
    held = backend.buckets[deployed.state_bucket]
    held.keys = type(held.keys)()
    held.multiparts.clear()
    for region in (HOME, EUROPE):
        jobs = batch_operations_backends[ACCOUNT][region]
        jobs._jobs.clear()
        jobs._tokens.clear()
    roles = iam_backends[ACCOUNT]["aws"].roles
    path = deployed.stack.outputs["RolePath"]
    for role_id in [one for one, role in roles.items() if role.path.startswith(path)]:
        del roles[role_id]
