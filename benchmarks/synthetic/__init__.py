"""A synthetic S3 server for listings: ten million keys that take no memory, in pages that cost microseconds."""
