"""The operations of S3 Batch Operations that the local cloud carries out, one module each."""
