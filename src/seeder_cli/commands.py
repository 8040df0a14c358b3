"""The names of all commands in the order of the help, each with a line that says what it is for.

They stand here, not with the commands, so that the help and the completion import none of them.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """A command; it is the function of its name in the module of its name."""

    name: str
    about: str


class Group(NamedTuple):
    """Commands that belong together."""

    title: str
    entries: tuple[Entry, ...]


GROUPS: Final = (
    Group(
        "Try it",
        (
            Entry("demo", "Seed a bucket on this machine alone; no AWS account."),
            Entry("local", "Serve that cloud, with the application deployed."),
        ),
    ),
    Group(
        "Prepare",
        (
            Entry("doctor", "Check the account, the deployment, a pair of buckets."),
            Entry("estimate", "Tell what seeding would cost; nothing is copied."),
            Entry("policy", "Print the policies of the roles for a pair."),
        ),
    ),
    Group(
        "Seed",
        (
            Entry("run", "Seed one pair, and stay until its replica is proven."),
            Entry("fleet", "Seed many pairs, and tell what became of each."),
            Entry("adopt", "Show the rules that are there; seed those chosen."),
            Entry("retry", "Seed again what a run left out."),
        ),
    ),
    Group(
        "Watch",
        (
            Entry("status", "Show all pairs, a row each: is it all there?"),
            Entry("attach", "Follow a run that is going on."),
            Entry("cancel", "Stop a run and its job."),
        ),
    ),
    Group(
        "Understand",
        (
            Entry("show", "Show all of one run, and what to do next."),
            Entry("failures", "Tell what failed in a run, why, and what to do."),
            Entry("report", "Write a page of all pairs, or of one run."),
        ),
    ),
    Group(
        "More",
        (
            Entry("manifest", "List a bucket, or what another lacks, into a file."),
            Entry("lake", "Keep files in a data lake that many write."),
            Entry("prune", "Remove the roles of pairs that are no longer."),
            Entry("completion", "Complete commands and options in your shell."),
        ),
    ),
)

ABOUT: Final = {entry.name: entry.about for group in GROUPS for entry in group.entries}
