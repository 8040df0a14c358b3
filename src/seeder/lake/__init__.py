"""A data lake in S3 that many write at once, with no lock server: objects written once, registries swapped."""
