"""What every resource type has in common: its honoured properties, and its making by the service's own API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from moto.cloudformation import parsing

from localcloud.patching import Patches

_TYPES: dict[str, type[Resource]] = {}


class Unsupported(Exception):
    """A template needs what the local cloud does not honour; one line for each such thing."""


class Resource:
    """One resource type. A subclass names its type and properties, and makes and deletes one."""

    resource_type: ClassVar[str]
    name_property: ClassVar[str] = ""
    honoured: ClassVar[frozenset[str]]

    def __init__(self, physical_id: str, attributes: dict[str, str], region: str) -> None:
        self.physical_resource_id = physical_id
        self.attributes = attributes
        self.region = region

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _TYPES[cls.resource_type] = cls

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Resource:
        """Make the resource through its service; return its physical id and attributes."""
        raise NotImplementedError

    def delete(self, account_id: str, region: str) -> None:
        """Remove the resource through its service."""
        raise NotImplementedError

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> Resource:
        """Refuse properties that are not honoured, then make the resource."""
        properties = cloudformation_json.get("Properties", {})
        problems = list(_unsupported_properties(resource_name, cls, properties))
        if problems:
            raise Unsupported("\n".join(problems))
        return cls.create(resource_name, properties, region_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Resource:
        """Refuse: a stack of the local cloud is made anew."""
        raise Unsupported(f"{cls.resource_type}: the local cloud does not update a stack; delete it first")

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        """Refuse: a resource is deleted as the object that was made."""
        raise Unsupported(f"{cls.resource_type}: unknown resource '{resource_name}'")

    def is_created(self) -> bool:
        """Return true: a resource is there when it has been made."""
        return True

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Return true: `get_cfn_attribute` decides."""
        return True

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Return an attribute for Fn::GetAtt; raises Unsupported for one that is not kept."""
        if attribute_name not in self.attributes:
            raise Unsupported(
                f"{self.resource_type}: attribute {attribute_name} is not honoured by the local cloud"
            )
        return self.attributes[attribute_name]


@contextmanager
def if_there(*codes: str) -> Iterator[None]:
    """Run the block; an error of one of these codes says that what it concerns is gone, which is well.

    moto deletes a stack's resources in no order, CloudFormation those first that depend on others.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


def install(patches: Patches) -> None:
    """Make every stack of these resource types alone, until the patches are undone.

    `AWS::NoValue` in a list leaves no element, where moto leaves an empty one.
    """

    def clean(value: Any, resources: Any) -> Any:
        answer = original(value, resources)
        return [item for item in answer if item is not None] if isinstance(value, list) else answer

    original = patches.replace(parsing, "clean_json", clean)
    patches.replace(parsing, "resource_class_from_type", _of_type)
    patches.replace(parsing, "resource_name_property_from_type", lambda name: _of_type(name).name_property)


def _of_type(name: str) -> type[Resource]:
    if name not in _TYPES:
        raise Unsupported(f"resource type {name} is not honoured by the local cloud")
    return _TYPES[name]


def unsupported(template: dict[str, Any]) -> list[str]:
    """Return a line for each section, resource type and property of a translated template that is not honoured."""
    lines = [
        f"section {name} is not honoured by the local cloud"
        for name in ("Hooks", "Rules")
        if name in template
    ]
    for name, resource in template.get("Resources", {}).items():
        kind = _TYPES.get(resource["Type"])
        if kind is None:
            lines.append(f"{name}: resource type {resource['Type']} is not honoured by the local cloud")
        else:
            lines.extend(_unsupported_properties(name, kind, resource.get("Properties", {})))
    return lines


def _unsupported_properties(name: str, kind: type[Resource], properties: dict[str, Any]) -> list[str]:
    return [
        f"{name}: property {kind.resource_type}.{key} is not honoured by the local cloud"
        for key in properties
        if key not in kind.honoured
    ]
