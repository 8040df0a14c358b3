"""AWS::Lambda::Function, LayerVersion and Permission."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import lambda_backends

from localcloud.aws import ACCOUNT_ID, client
from localcloud.cloudformation.resource import Resource


class Function(Resource):
    """A function, run by `localcloud.functions`.

    `TracingConfig` is kept, but no traces are: the local cloud has no X-Ray.
    """

    resource_type = "AWS::Lambda::Function"
    name_property = "FunctionName"
    honoured = frozenset(
        {
            "Architectures",
            "Code",
            "Description",
            "Environment",
            "FunctionName",
            "Handler",
            "Layers",
            "LoggingConfig",
            "MemorySize",
            "Role",
            "Runtime",
            "Tags",
            "Timeout",
            "TracingConfig",
        }
    )

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Function:
        """Create the function; its log group is the one that `LoggingConfig` names."""
        given = {
            key: value
            for key, value in properties.items()
            if key not in {"FunctionName", "LoggingConfig", "Tags"}
        }
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        for number in ("MemorySize", "Timeout"):
            if number in given:
                given[number] = int(given[number])
        answer = client("lambda", region).create_function(FunctionName=name[:64], Tags=tags, **given)
        logging = properties.get("LoggingConfig", {})
        if "LogGroup" in logging:
            made = lambda_backends[ACCOUNT_ID][region].get_function(answer["FunctionName"])
            made.logs_group_name = logging["LogGroup"]
        return cls(answer["FunctionName"], {"Arn": answer["FunctionArn"]}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the function."""
        client("lambda", region).delete_function(FunctionName=self.physical_resource_id)


class LayerVersion(Resource):
    """A version of a layer, kept as its archive; `localcloud.functions` tells what becomes of it."""

    resource_type = "AWS::Lambda::LayerVersion"
    name_property = "LayerName"
    honoured = frozenset(
        {"CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LayerName"}
    )

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> LayerVersion:
        """Publish the version."""
        given = {key: value for key, value in properties.items() if key != "LayerName"}
        answer = client("lambda", region).publish_layer_version(LayerName=name, **given)
        arn = answer["LayerVersionArn"]
        return cls(arn, {"LayerVersionArn": arn}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the version."""
        arn, version = self.physical_resource_id.rsplit(":", 1)
        client("lambda", region).delete_layer_version(LayerName=arn, VersionNumber=int(version))


class Permission(Resource):
    """A statement of a function's resource policy."""

    resource_type = "AWS::Lambda::Permission"
    honoured = frozenset({"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"})

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Permission:
        """Add the statement."""
        client("lambda", region).add_permission(StatementId=name, **properties)
        return cls(name, {"FunctionName": properties["FunctionName"]}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Remove the statement."""
        client("lambda", region).remove_permission(
            FunctionName=self.attributes["FunctionName"], StatementId=self.physical_resource_id
        )
