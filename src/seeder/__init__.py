"""Seeds S3 replicas: lists, builds manifests, creates jobs, reads reports. Knows no Lambda and no Step Functions."""
