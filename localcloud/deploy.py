"""Deploys a SAM template as `sam deploy` does: package, translate, create the stack. All of it offline."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from localcloud.aws import ACCOUNT_ID, client
from localcloud.cloudformation import Unsupported, refused_parameters, unsupported

# What the translator puts into the roles it makes; their ARNs are AWS's own.
_SERVICE_ROLE = "arn:aws:iam::aws:policy/service-role/"
_MANAGED_POLICIES = {
    "AWSLambdaBasicExecutionRole": f"{_SERVICE_ROLE}AWSLambdaBasicExecutionRole",
    "AWSXRayDaemonWriteAccess": "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess": "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
}
# Properties that name a file or folder beside the template, by resource type.
_ARTEFACTS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_UNCHECKED = (1).to_bytes(4, "little")


@dataclass(frozen=True)
class Stack:
    """A deployed stack: its name, region, outputs, and physical ids by logical id."""

    name: str
    region: str
    outputs: dict[str, str]
    resources: dict[str, str]


def deploy(template: Path, name: str, region: str, parameters: dict[str, str] | None = None) -> Stack:
    """Deploy the template file; return the stack.

    Raises ValueError for parameters that the template refuses, Unsupported for what the local cloud does not
    honour, RuntimeError when the stack fails.
    """
    source = json.loads(_parsed(template.read_text("utf-8")))
    refused = refused_parameters(source.get("Parameters", {}), parameters or {})
    if refused:
        raise ValueError("\n".join(refused))
    bucket = _artefact_bucket(region)
    document = _package(source, template.parent, bucket, region)
    values = _defaults(document) | (parameters or {})
    translated = translate(document, values, region)
    problems = unsupported(translated)
    if problems:
        raise Unsupported("\n".join(problems))
    cloudformation = client("cloudformation", region)
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(translated),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    return describe(name, region)


def describe(name: str, region: str) -> Stack:
    """Return a stack that was deployed. Raises RuntimeError when it did not complete."""
    cloudformation = client("cloudformation", region)
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise RuntimeError(f"stack {name}: {stack['StackStatus']} {stack.get('StackStatusReason', '')}")
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    return Stack(
        name,
        region,
        {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])},
        {
            item["LogicalResourceId"]: item["PhysicalResourceId"]
            for page in pages
            for item in page["StackResourceSummaries"]
        },
    )


def translate(document: dict[str, Any], values: dict[str, str], region: str) -> dict[str, Any]:
    """Return the CloudFormation template of a packaged SAM document."""
    translated: dict[str, Any] = json.loads(_translated(json.dumps(document), json.dumps(values), region))
    return translated


@lru_cache(maxsize=8)
def _parsed(template: str) -> str:
    return json.dumps(yaml_parse(template))


@lru_cache(maxsize=8)
def _translated(document: str, values: str, region: str) -> str:
    translator = Translator(_MANAGED_POLICIES, Parser(), boto_session=boto3.Session(region_name=region))
    return json.dumps(translator.translate(json.loads(document), json.loads(values)))


def _defaults(document: dict[str, Any]) -> dict[str, str]:
    parameters = document.get("Parameters", {})
    return {key: str(value["Default"]) for key, value in parameters.items() if "Default" in value}


def _artefact_bucket(region: str) -> str:
    bucket = f"aws-sam-cli-managed-default-{ACCOUNT_ID}-{region}"
    s3 = client("s3", region)
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    if bucket not in {item["Name"] for item in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=bucket, **place)
    return bucket


def _package(document: dict[str, Any], base: Path, bucket: str, region: str) -> dict[str, Any]:
    """Upload each local artefact once, by its digest, and put its S3 place into the document."""
    shared = document.get("Globals", {}).get("Function", {}).get("CodeUri")
    for resource in document["Resources"].values():
        key = _ARTEFACTS.get(resource["Type"])
        properties = resource.setdefault("Properties", {})
        local = properties.get(key, shared if key == "CodeUri" else None) if key else None
        if isinstance(local, str) and not local.startswith("s3://"):
            body = _archive(base / local) if (base / local).is_dir() else (base / local).read_bytes()
            digest = hashlib.sha256(body).hexdigest()
            client("s3", region).put_object(Bucket=bucket, Key=digest, Body=body)
            properties[key] = f"s3://{bucket}/{digest}"
    return document


def _archive(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not _is_left_behind(path):
                entry = zipfile.ZipInfo(str(path.relative_to(folder)), _ZIP_TIME)
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _is_left_behind(path: Path) -> bool:
    """Tell bytecode that an interpreter left beside its source from what a build made, unchecked (PEP 552)."""
    if path.suffix != ".pyc":
        return False
    with path.open("rb") as code:
        return code.read(8)[4:] != _UNCHECKED
