"""What a run is asked: the input document, its fields, and how it is checked and described."""

from seeder.request.explanation import explain
from seeder.request.model import EXAMPLE, Location, Operation, Request, Trigger, parse_request
from seeder.request.together import RULE_OPTIONS

__all__ = [
    "EXAMPLE",
    "RULE_OPTIONS",
    "Location",
    "Operation",
    "Request",
    "Trigger",
    "explain",
    "parse_request",
]
