"""Where the application itself stands: its template, functions and state machines."""

from __future__ import annotations

from pathlib import Path

from seeder_cli.errors import CommandError


def template_path() -> Path:
    """Return the template of `application_folder`. Raises CommandError."""
    return application_folder() / "template.yaml"


def application_folder() -> Path:
    """Return the folder of template.yaml, functions/ and statemachine/: this checkout, or what an installation brings.

    Raises CommandError.
    """
    for folder in (Path(__file__).parents[2], Path(__file__).parent / "application"):
        if (folder / "template.yaml").is_file() and (folder / "functions").is_dir():
            return folder
    raise CommandError(
        "template.yaml, functions/ and statemachine/ are not installed; run this in a checkout of s3-seeder"
    )
