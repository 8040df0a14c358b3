"""A local cloud in which a test takes on roles of its making."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.cloud import LocalCloud

ACCOUNT = "123456789012"
Client = Callable[..., Any]

_numbers = itertools.count()


def statement(effect: str, *actions: str, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    """Return a statement of a policy; `elements` are its other elements."""
    return {"Effect": effect, "Action": list(actions), "Resource": resource, **elements}


def allow(*actions: str, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return statement("Allow", *actions, resource=resource, **elements)


def deny(*actions: str, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return statement("Deny", *actions, resource=resource, **elements)


def all_but(*actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "NotAction": list(actions), "Resource": "*"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusting(principal: Any, condition: dict[str, Any] | None = None) -> str:
    """Return a trust policy."""
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return document({**trust, "Condition": condition} if condition else trust)


def make_role(
    cloud: LocalCloud, *statements: dict[str, Any], trust: str = "", boundary: dict[str, Any] | None = None
) -> str:
    """Make a role that the account trusts, or as `trust` says; return its ARN."""
    iam, name = cloud.client("iam"), f"role-{next(_numbers)}"
    limit = {}
    if boundary:
        policy = iam.create_policy(PolicyName=f"limit-{name}", PolicyDocument=document(boundary))
        limit = {"PermissionsBoundary": policy["Policy"]["Arn"]}
    trust = trust or trusting({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **limit)
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document(*statements))
    return str(made["Role"]["Arn"])


def acting_as(cloud: LocalCloud, role: str, **session: str) -> Client:
    """Take a role on; return what makes a client of a service with its credentials."""
    sts = cloud.client("sts")
    given = sts.assume_role(RoleArn=role, RoleSessionName="test", **session)["Credentials"]

    def client(service: str, region: str = "us-east-1", **options: Any) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]  # of any service
            region_name=region,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}, **options),
        )

    return client


def acting(cloud: LocalCloud, *statements: dict[str, Any], boundary: dict[str, Any] | None = None) -> Client:
    """Make a role with these statements and take it on."""
    return acting_as(cloud, make_role(cloud, *statements, boundary=boundary))


@contextmanager
def refused(message: str = "", code: str = "AccessDenied", status: int = 403) -> Iterator[None]:
    """Expect a refusal whose message has this in it."""
    with pytest.raises(ClientError) as caught:
        yield
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status, caught.value
    assert caught.value.response["Error"]["Code"] == code
    assert message in caught.value.response["Error"].get("Message", "")
