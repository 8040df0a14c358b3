"""What AWS says of a role that was just made or changed, and is not known everywhere yet.

Contract: IAM User Guide, "Changes that I make are not always immediately visible".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from seeder.errors import InvalidRequest, NotYetVisible

if TYPE_CHECKING:
    from seeder.roles import Roles

# In what words such a role is refused is nowhere said; these are the likely ones.
_OF_A_ROLE = re.compile(r"\brole|assum|passrole|access ?denied|forbidden|not authorized", re.IGNORECASE)


@contextmanager
def settling(roles: Roles) -> Iterator[None]:
    """Turn AWS's refusal of a role that this run has just made or changed into NotYetVisible."""
    try:
        yield
    except (ClientError, InvalidRequest) as error:
        refusal = error if isinstance(error, ClientError) else error.__cause__
        if roles.made and isinstance(refusal, ClientError) and may_be_of_a_role([str(refusal)]):
            raise NotYetVisible(
                f"a role was just made or changed, and S3 does not take it yet: {error}"
            ) from error
        raise


def may_be_of_a_role(reasons: Sequence[str]) -> bool:
    """Tell whether what AWS gives as reasons may come of a role that it does not know yet."""
    return any(_OF_A_ROLE.search(reason) for reason in reasons)
