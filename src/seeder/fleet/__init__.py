"""Many pairs at once: what a fleet is asked, the registries that runs share, and what became of each pair."""
