"""EnableReplication: add a replication rule if asked; otherwise only check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import replication
from seeder.clients import Clients
from seeder.errors import NotYetVisible, aws_errors
from seeder.fleet.seen import Seen
from seeder.replication import Rule, id_for, read_rules
from seeder.roles import Roles
from seeder.roles.settling import settling
from seeder.run import Run

logger = Logger()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return `{"rule_id", "added", "note"}` for a state that holds the run and its roles."""
    run, roles = Run.model_validate(event["run"]), Roles.model_validate(event["roles"])
    s3, source = clients.s3(run.source.region), run.source.name
    seen = Seen(clients.s3(clients.region), run.state_bucket, source)

    def announce(rule_id: str, rules: Sequence[Rule]) -> None:
        seen.expect(rule_id, run.run_id, rules)
        if read_rules(s3, source) != rules:
            seen.expect_no_more(rule_id)
            raise NotYetVisible(f"the rules of '{source}' are being changed")

    with settling(roles):
        answer = replication.ensure(run, roles.replication, clients, announce)
    if run.request.enable_replication and answer["rule_id"] == id_for(run.request):
        seen.take_in([rule for rule in read_rules(s3, source) if rule.id == answer["rule_id"]])
    logger.info("replication", run_id=run.run_id, **answer)
    return answer
