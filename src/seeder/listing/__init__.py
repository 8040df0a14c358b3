"""Listing: pages of a bucket, and the difference of two."""
