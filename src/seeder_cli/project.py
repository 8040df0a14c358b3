"""Where the application itself stands: its template, functions and state machines."""

from __future__ import annotations

from pathlib import Path

from seeder_cli.errors import CommandError


def template_path() -> Path:
    """Return the template of the checkout that this command runs from, or of the current folder."""
    for folder in (Path(__file__).parents[2], Path.cwd()):
        if (folder / "template.yaml").is_file():
            return folder / "template.yaml"
    raise CommandError("template.yaml not found; run this in a checkout of s3-seeder")
