"""lambda:GetAccountSettings, which moto lacks: a fresh region's quotas, and what is reserved of them.

Contract: Lambda API reference, GetAccountSettings; Lambda developer guide, "Lambda quotas".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.awslambda import urls
from moto.awslambda.responses import LambdaResponse
from moto.core.responses import ActionResult

if TYPE_CHECKING:
    from localcloud.patching import Patches

CONCURRENT_EXECUTIONS = 1000
_CODE_BYTES, _UNZIPPED_BYTES, _ZIPPED_BYTES = 80_530_636_800, 262_144_000, 52_428_800

# Not undone: moto reads its URLs when a service is first called. Without the patch, the call is unknown there too.
urls.url_paths.update(
    {
        r"{0}/(?P<api_version>[^/]+)/account-settings/?$": LambdaResponse.dispatch,
        "/<api_version>/account-settings/": LambdaResponse.dispatch,
    }
)


def install(patches: Patches, concurrency: int = CONCURRENT_EXECUTIONS) -> None:
    """Answer GetAccountSettings with a limit of so many concurrent executions, until the patches are undone."""

    def get_account_settings(response: Any) -> ActionResult:
        functions = list(response.backend.list_functions())
        reserved = sum(int(function.reserved_concurrency or 0) for function in functions)
        return ActionResult(
            {
                "AccountLimit": {
                    "TotalCodeSize": _CODE_BYTES,
                    "CodeSizeUnzipped": _UNZIPPED_BYTES,
                    "CodeSizeZipped": _ZIPPED_BYTES,
                    "ConcurrentExecutions": concurrency,
                    "UnreservedConcurrentExecutions": concurrency - reserved,
                },
                "AccountUsage": {
                    "TotalCodeSize": sum(int(function.code_size or 0) for function in functions),
                    "FunctionCount": len(functions),
                },
            }
        )

    patches.add(LambdaResponse, "get_account_settings", get_account_settings)
