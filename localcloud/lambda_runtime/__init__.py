"""Where Lambda functions run: in this process, or each instance in one of its own, as on Lambda."""
