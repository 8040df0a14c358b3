"""What moto works out anew at each call, each execution or each start, kept instead.

None of it changes what is answered: each cache is keyed by all that its value depends on.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jsonpath_ng
import jsonpath_ng.ext
from moto.cloudformation.models import Stack
from moto.core.base_backend import AccountSpecificBackend, BackendDict, BaseBackend
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path

if TYPE_CHECKING:
    from localcloud.patching import Patches

_program = lru_cache(maxsize=32)(AmazonStateLanguageParser.parse)
_extended_path = lru_cache(maxsize=4096)(jsonpath_ng.ext.parse)
_path = lru_cache(maxsize=4096)(jsonpath_ng.parse)


@lru_cache
def _regions(service: str) -> list[str]:
    """Return the regions of all partitions that have a service; moto reads them again for each backend."""
    session = AccountSpecificBackend.get_session()
    partitions = session.get_available_partitions()
    return [
        region
        for partition in partitions
        for region in session.get_available_regions(service, partition_name=partition)
    ]


def install(patches: Patches) -> None:
    """Keep what was worked out until the patches are undone."""
    _addresses(patches)
    _backends(patches)
    _definitions(patches)
    _templates(patches)
    patches.replace(json_path, "parse", _extended_path)
    patches.replace(result_path, "parse", _path)


def _addresses(patches: Patches) -> None:
    """The patterns of a service's addresses, compiled; `re` itself keeps too few of them."""
    found: dict[type, dict[re.Pattern[str], Any]] = {}

    def urls(backend: Any) -> dict[re.Pattern[str], Any]:
        kind = type(backend)
        if kind not in found:
            found[kind] = {re.compile(url): handler for url, handler in original.fget(backend).items()}
        return found[kind]

    original = patches.replace(BaseBackend, "urls", property(urls))


def _backends(patches: Patches) -> None:
    """The backends of an account, once they are made, and the regions they may be in."""

    def of_account(backends: Any, account: str) -> Any:
        held = dict.get(backends, account)
        return original(backends, account) if held is None else held

    original = patches.replace(BackendDict, "__getitem__", of_account)
    patches.replace(AccountSpecificBackend, "_generate_regions", lambda _, service: _regions(service))


def _definitions(patches: Patches) -> None:
    """The program of a state machine's definition, which its executions share.

    A program keeps nothing of an execution: that is in the execution's own heap, under keys that a component of
    the program makes on first use. Two executions at once must not make two, so the key is the component's identity.
    """
    patches.replace(AmazonStateLanguageParser, "parse", staticmethod(_program))
    patches.replace(EvalComponent, "heap_key", property(lambda component: f"{id(component):x}"))


def _templates(patches: Patches) -> None:
    """A template in JSON, read as such: as YAML, which JSON is too, it takes a hundred times as long."""

    def parse(template: str) -> Any:
        try:
            return json.loads(template)
        except ValueError:
            return original(template)

    original = Stack.parse_template
    patches.replace(Stack, "parse_template", staticmethod(parse))
