"""The CloudFormation resource types that the local cloud honours, every property of them.

A type without a class here, or a property that its class does not name, is refused before a stack is made.
"""

from localcloud.cloudformation import awslambda, events, iam, logs, s3, scheduler, sns, stepfunctions
from localcloud.cloudformation.resource import Unsupported, install, unsupported

__all__ = [
    "Unsupported",
    "awslambda",
    "events",
    "iam",
    "install",
    "logs",
    "s3",
    "scheduler",
    "sns",
    "stepfunctions",
    "unsupported",
]
