"""A replication rule added to those of a bucket, whose rules and role stay as they are.

S3 replaces the whole configuration at once and unconditionally (API reference, PutBucketReplication), so what others
change between the reading and the writing here would be lost; the two follow each other at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from seeder.buckets import Bucket, require_versioning
from seeder.errors import InvalidRequest, NotYetVisible, code_of
from seeder.replication.options import id_for, options_of, rule_for
from seeder.replication.rules import Rule, parse_rule, read_configuration, read_rules

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ReplicationConfigurationUnionTypeDef

    from seeder.clients import Clients
    from seeder.run import Run

MOST_RULES = 1000
HIGHEST_PRIORITY = 2**31 - 1
# AWS raises this one for an account that asks (AWS General Reference, "Amazon S3 endpoints and quotas"), so S3 decides.
USUAL_DESTINATIONS = 28

_BUSY = "OperationAborted"
_REFUSED = frozenset(
    {
        "EntityTooLarge",
        "InvalidArgument",
        "InvalidBucketState",
        "InvalidRequest",
        "MalformedXML",
        "MaxMessageLengthExceeded",
    }
)

Announce = Callable[[str, Sequence[Rule]], None]


def ensure(
    run: Run, role_arn: str, clients: Clients, announce: Announce = lambda rule_id, rules: None
) -> dict[str, Any]:
    """Do for a run what its request says of replication; return `{"rule_id": str, "added": bool, "note": str}`.

    A run that a rule started changes nothing and only checks that the rule is there. With `enable_replication`,
    versioning is turned on for both buckets and one rule is added, unless one covers the pair; `note` is what is to be
    known of that. `announce` is called with the new rule's ID and the rules that are there, before it is added.
    Raises InvalidRequest, NotYetVisible when what was just done can't be read back yet, ClientError. Can be repeated;
    a repetition after the rule was added finds it there, so that `added` is false.
    """
    s3 = clients.s3(run.source.region)
    if run.request.trigger == "rule-added":
        rule_id = _check(read_rules(s3, run.source.name), run.request.rule_id)
        return {"rule_id": rule_id, "added": False, "note": ""}
    if not run.request.enable_replication:
        return {"rule_id": "", "added": False, "note": ""}
    for bucket in (run.source, run.destination):
        _enable_versioning(clients, bucket)
    configuration = read_configuration(s3, run.source.name)
    covering = _covering(configuration, run)
    if covering is not None:
        return {"rule_id": covering.get("ID", ""), "added": False, "note": _compared(covering, run)}
    wanted = merged(configuration, run, role_arn)
    announce(id_for(run.request), [parse_rule(rule) for rule in configuration.get("Rules", [])])
    _put(s3, run, wanted)
    mine = next((rule for rule in read_rules(s3, run.source.name) if rule.id == id_for(run.request)), None)
    if mine is None or not mine.enabled:
        raise NotYetVisible(f"bucket '{run.source.name}' does not show the rule that was just added")
    return {"rule_id": mine.id, "added": True, "note": _told(wanted, role_arn)}


def merged(configuration: dict[str, Any], run: Run, role_arn: str) -> dict[str, Any]:
    """Return the configuration with the rule that a run asks for; the other rules, and the role if there is one, stay.

    Raises InvalidRequest where the rules use the schema without Filter, which can't be mixed, where there is room for
    none more, where one of the same ID is there, and where another role is asked for than theirs.
    """
    rules = list(configuration.get("Rules", []))
    _check_room(rules, run)
    role = configuration.get("Role") or role_arn
    if run.request.replication_role_arn not in ("", role):
        raise InvalidRequest(
            "replication_role_arn",
            f"'{run.request.replication_role_arn}' can't be used: the rules of '{run.source.name}' have one role, "
            f"{role}; leave it out, or change the configuration's role yourself",
        )
    priority = free_priority([parse_rule(rule) for rule in rules], run.destination.name)
    return {"Role": role, "Rules": [*rules, rule_for(run, priority)]}


def free_priority(rules: Sequence[Rule], destination: str) -> int:
    """Return a priority that no rule has: the next higher one, or below all rules that have the same destination.

    Of several rules for one destination the one of highest priority decides (API reference, ReplicationRule); those
    that are there shall go on to decide what they do now. Where nothing below them is free, it is the lowest that is.
    """
    taken = {rule.priority for rule in rules}
    rivals = [rule.priority for rule in rules if rule.destination == destination]
    highest = min(rivals) - 1 if rivals else min(max(taken, default=0) + 1, HIGHEST_PRIORITY)
    below = next((number for number in range(highest, -1, -1) if number not in taken), None)
    return below if below is not None else next(n for n in range(len(taken) + 1) if n not in taken)


def _check(rules: Sequence[Rule], rule_id: str) -> str:
    rule = next((item for item in rules if item.id == rule_id), None)
    if rule is None or not rule.enabled:
        raise InvalidRequest("rule_id", f"rule '{rule_id}' is not there or not enabled any more")
    return rule_id


def _check_room(rules: Sequence[dict[str, Any]], run: Run) -> None:
    if any("Filter" not in rule for rule in rules):
        raise InvalidRequest(
            "enable_replication",
            "the source's rules use the old schema (Prefix without Filter), to which none of the new can be "
            "added; add a rule to them yourself, or move them to Filter",
        )
    if len(rules) >= MOST_RULES:
        raise InvalidRequest(
            "enable_replication",
            f"'{run.source.name}' has {len(rules)} replication rules, as many as S3 allows; remove one first",
        )
    mine = id_for(run.request)
    if any(rule.get("ID") == mine for rule in rules):
        raise InvalidRequest(
            "enable_replication",
            f"rule '{mine}' of '{run.source.name}', added before, was disabled or changed since, so that it does not "
            "replicate this pair; enable it, or remove it to have it added again",
        )


def _covering(configuration: dict[str, Any], run: Run) -> dict[str, Any] | None:
    """Return the rule that replicates the pair; of several, the one that decides how."""
    request = run.request
    rules = [
        (rule, parsed.priority)
        for rule in configuration.get("Rules", [])
        if (parsed := parse_rule(rule)).covers(request.destination, request.prefix, request.tags)
    ]
    return max(rules, key=lambda item: item[1])[0] if rules else None


def _compared(covering: dict[str, Any], run: Run) -> str:
    """Return what is to be known of a rule that is used as it is.

    Raises InvalidRequest where it differs from what was asked for, other than a default.
    """
    says, wanted = options_of(covering), options_of(rule_for(run, 0))
    differing = [name for name in wanted if says[name] != wanted[name]]
    fields = type(run.request).model_fields
    for name in differing:
        if getattr(run.request, name) != fields[name].default:
            raise InvalidRequest(
                name,
                f"{wanted[name]!r} is asked for, and rule '{covering.get('ID', '')}' replicates the pair already with "
                f"{says[name]!r}; no rule that is there is changed: leave {name} out, or change that rule yourself",
            )
    told = ", ".join(f"{name} {says[name]!r}" for name in differing)
    return f"rule '{covering.get('ID', '')}' was there and stays as it is" + (f": {told}" if told else "")


def _told(configuration: dict[str, Any], role_arn: str) -> str:
    """Return what is to be known of the rule that was added, the last one."""
    *others, mine = [parse_rule(rule) for rule in configuration["Rules"]]
    told = []
    if configuration["Role"] != role_arn:
        told.append(f"S3 replicates by the role that the other rules have, {configuration['Role']}")
    rivals = [
        f"'{rule.id}' ({rule.priority})"
        for rule in others
        if rule.enabled and rule.destination == mine.destination and rule.prefix.startswith(mine.prefix)
    ]
    if rivals:
        told.append(
            f"where {', '.join(rivals)} apply too, the highest priority decides; the added rule has {mine.priority}"
        )
    return "; ".join(told)


def _enable_versioning(clients: Clients, bucket: Bucket) -> None:
    if not bucket.is_ours:
        require_versioning("destination", bucket)
    elif bucket.versioning != "Enabled":
        clients.s3(bucket.region).put_bucket_versioning(
            Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
        )


def _put(s3: S3Client, run: Run, configuration: dict[str, Any]) -> None:
    """Write the configuration. Raises InvalidRequest when S3 refuses it, NotYetVisible when it may take it later."""
    try:
        s3.put_bucket_replication(
            Bucket=run.source.name,
            ReplicationConfiguration=cast("ReplicationConfigurationUnionTypeDef", configuration),
        )
    except ClientError as error:
        message = error.response["Error"].get("Message", "")
        # Versioning of both is enabled by now, and takes time to be seen (S3 User Guide, "Enabling versioning").
        if code_of(error) == _BUSY or (code_of(error) in _REFUSED and "versioning" in message.lower()):
            raise NotYetVisible(
                f"S3 does not take the rule for '{run.source.name}' yet: {message}"
            ) from error
        if code_of(error) not in _REFUSED:
            raise
        destinations = {rule["Destination"]["Bucket"] for rule in configuration["Rules"]}
        limit = (
            f" (a bucket has {USUAL_DESTINATIONS} destinations, if AWS has not raised that for the account)"
        )
        raise InvalidRequest(
            "enable_replication",
            f"S3 refuses the rule from '{run.source.name}' to '{run.destination.name}': {message}"
            + (limit if len(destinations) > USUAL_DESTINATIONS else ""),
        ) from error
