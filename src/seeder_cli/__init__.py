"""The `seeder` command."""
