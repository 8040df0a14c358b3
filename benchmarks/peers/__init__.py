"""Other clients that list a bucket, each in an environment of its own, so that they can be measured beside ours."""
