"""List with boto3's paginator, write with `csv`: URL BUCKET OUTPUT. Prints the number of keys."""

from __future__ import annotations

import csv
import sys

import boto3


def main(url: str, bucket: str, output: str) -> int:
    """Write `bucket,key` rows of all objects and return their number."""
    s3 = boto3.client("s3", endpoint_url=url)
    count = 0
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            rows = [(bucket, item["Key"]) for item in page.get("Contents", [])]
            writer.writerows(rows)
            count += len(rows)
    return count


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
