"""A bucket's replication configuration: read, compared, and added to; never a rule of somebody else's altered."""

from seeder.replication.adding import ensure, merged
from seeder.replication.changes import Change, Reason, added
from seeder.replication.options import id_for
from seeder.replication.rules import Rule, Scope, parse_rule, read_configuration, read_rules

__all__ = [
    "Change",
    "Reason",
    "Rule",
    "Scope",
    "added",
    "ensure",
    "id_for",
    "merged",
    "parse_rule",
    "read_configuration",
    "read_rules",
]
