"""Looks at an account, a deployment and a pair of buckets, and says what stands in the way of seeding."""
