"""The CloudFormation resource types that the local cloud honours, every property of them.

A type without a class here, or a property that its class does not name, is refused before a stack is made.
"""

from localcloud.cloudformation import (
    awslambda,
    cloudtrail,
    cloudwatch,
    events,
    iam,
    logs,
    s3,
    scheduler,
    sns,
    sqs,
    stepfunctions,
)
from localcloud.cloudformation.parameters import refused_parameters
from localcloud.cloudformation.resource import Unsupported, install, unsupported

__all__ = [
    "Unsupported",
    "awslambda",
    "cloudtrail",
    "cloudwatch",
    "events",
    "iam",
    "install",
    "logs",
    "refused_parameters",
    "s3",
    "scheduler",
    "sns",
    "sqs",
    "stepfunctions",
    "unsupported",
]
