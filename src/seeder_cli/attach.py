"""`seeder attach`: follows a run that is going on, or tells the end of one that has ended."""

from __future__ import annotations

import click

from seeder_cli.attached import stay, tell
from seeder_cli.place import Place, place_options
from seeder_cli.runs import find_run


@click.command()
@click.argument("run")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print the run's record as JSON, and nothing else.")
def attach(run: str, place: Place, as_json: bool) -> int:
    """Follow RUN to its end; of one that has ended, tell the end.

    RUN is a run's id or its beginning, or its pair as SOURCE/DESTINATION, for the last run of that. The exit status is
    that of `seeder run`. Ctrl-C leaves the run as it is.

    \b
    Example:
      seeder attach my-bucket/my-replica
    """
    found = find_run(place, run)
    if found.record or not found.running:
        record = found.record.model_dump(mode="json") if found.record else None
        return tell(place, record, found.run_id, as_json)
    return stay(place, found.execution_arn, as_json, [f"Attached to run: {found.run_id}"])
