"""The types of a request's fields: what each accepts, what it says otherwise, and how JSON Schema puts it.

Patterns are of what Python and ECMA 262 read alike, so that the schema accepts what these types accept.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

Trigger = Literal["manual", "rule-added", "schedule"]
Operation = Literal["auto", "replicate", "copy"]
Location = Literal["state", "source", "destination"]
StorageClass = Literal[
    "DEEP_ARCHIVE",
    "GLACIER",
    "GLACIER_IR",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "REDUCED_REDUNDANCY",
    "STANDARD",
    "STANDARD_IA",
]

# S3 User Guide, "Naming Amazon S3 objects" and "Categorizing your objects using tags".
_KEY_BYTES = 1024
_MOST_TAGS, _TAG_KEY_CHARACTERS, _TAG_VALUE_CHARACTERS = 10, 128, 256

BUCKET_NAME = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_INVENTORY = rf"s3://{BUCKET_NAME}/[\s\S]+/manifest\.json"
_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
_ZONE = r"(Z|[+-][0-9]{2}:[0-9]{2})"
_ROLE_ARN = r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+"
_KEY_ARN = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9_-]+"
_ACCOUNT = r"[0-9]{12}"


def _bucket_name(value: str) -> str:
    if re.fullmatch(BUCKET_NAME, value):
        return value
    name = value.removeprefix("arn:aws:s3:::").removeprefix("s3://").split("/")[0]
    is_within = name != value and re.fullmatch(BUCKET_NAME, name)
    hint = f"the name alone: '{name}'" if is_within else "3 to 63 lower-case letters, digits, '.', '-'"
    raise ValueError(f"'{value}' is not a bucket name; give {hint}")


def _whole(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{value[:40]!r} holds half a character (a lone surrogate); give whole ones"
        ) from error
    return value


def _part_of_key(value: str) -> str:
    if len(value.encode()) > _KEY_BYTES:
        raise ValueError(
            f"'{value[:40]}…' has {len(value.encode())} bytes, and a key has {_KEY_BYTES} at most; shorten it"
        )
    return value


def _inventory(value: str) -> str:
    if not value or re.fullmatch(_INVENTORY, value):
        return value
    raise ValueError(
        f"'{value}' is not the address of an inventory; give that of its manifest.json, such as "
        "s3://my-inventories/my-bucket/daily/2026-01-31T01-00Z/manifest.json"
    )


def _aware(value: str) -> str:
    if re.fullmatch(_MOMENT, value):
        raise ValueError(f"'{value}' has no time zone; add Z for UTC")
    try:
        if re.fullmatch(_MOMENT + _ZONE, value):
            datetime.fromisoformat(value)
            return value
    except ValueError:
        pass
    raise ValueError(f"'{value}' is not a time; give one such as 2026-01-31T00:00:00Z")


def _role_arn(value: str) -> str:
    if not value or re.fullmatch(_ROLE_ARN, value):
        return value
    raise ValueError(
        f"'{value}' is not the ARN of a role; give one such as arn:aws:iam::111122223333:role/name"
    )


def _key_arn(value: str) -> str:
    if not value or re.fullmatch(_KEY_ARN, value):
        return value
    raise ValueError(
        f"'{value}' is not the ARN of a KMS key; give one such as arn:aws:kms:eu-west-1:111122223333:key/ and its id "
        "(no alias, for replication takes none)"
    )


def _account(value: str) -> str:
    if not value or re.fullmatch(_ACCOUNT, value):
        return value
    raise ValueError(f"'{value}' is not the id of an account; give its 12 digits, such as 111122223333")


def _tags(value: dict[str, str]) -> dict[str, str]:
    if len(value) > _MOST_TAGS:
        raise ValueError(f"{len(value)} tags, and an object has {_MOST_TAGS} at most; give fewer")
    for key, text in value.items():
        _whole(key + text)
        if not 0 < len(key) <= _TAG_KEY_CHARACTERS or len(text) > _TAG_VALUE_CHARACTERS:
            raise ValueError(
                f"'{key}={text}' is not a tag of an object; give keys of 1 to {_TAG_KEY_CHARACTERS} characters and "
                f"values of up to {_TAG_VALUE_CHARACTERS}"
            )
    return value


def _text(pattern: str, **members: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", **members})


BucketName = Annotated[str, AfterValidator(_bucket_name), _text(BUCKET_NAME)]
Text = Annotated[str, AfterValidator(_whole)]
PartOfKey = Annotated[
    Text, AfterValidator(_part_of_key), WithJsonSchema({"type": "string", "maxLength": _KEY_BYTES})
]
Inventory = Annotated[Text, AfterValidator(_inventory), _text(f"({_INVENTORY})?")]
Moment = Annotated[str, AfterValidator(_aware), _text(_MOMENT + _ZONE, format="date-time")] | None
Bytes = Annotated[int, Field(ge=0)] | None
RoleArn = Annotated[str, AfterValidator(_role_arn), _text(f"({_ROLE_ARN})?")]
KeyArn = Annotated[str, AfterValidator(_key_arn), _text(f"({_KEY_ARN})?")]
AccountId = Annotated[str, AfterValidator(_account), _text(f"({_ACCOUNT})?")]
Tags = Annotated[
    dict[str, str],
    AfterValidator(_tags),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": _MOST_TAGS,
            "propertyNames": {"minLength": 1, "maxLength": _TAG_KEY_CHARACTERS},
            "additionalProperties": {"type": "string", "maxLength": _TAG_VALUE_CHARACTERS},
        }
    ),
]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
