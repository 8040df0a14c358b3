"""Pages for people: a run, and all pairs, each one HTML file that needs nothing else.

Pure functions of the standard library: what they are given is told, in the same bytes every time.
"""

from __future__ import annotations

from seeder.page.fleet import render_fleet
from seeder.page.run import render_run

__all__ = ["render_fleet", "render_run"]
