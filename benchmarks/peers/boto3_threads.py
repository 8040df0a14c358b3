"""List with boto3 in threads, over ranges known beforehand: URL BUCKET OUTPUT THREADS KEYS PAGES. Prints the number.

The ranges are equal parts of the numbers in the keys of the `flat` space. Each thread lists PAGES pages of its range,
so that a part of a large bucket shows the speed that the whole would have.
"""

from __future__ import annotations

import csv
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import boto3
from botocore.config import Config

_BLOCK = 1000


def main(url: str, bucket: str, output: str, threads: int, keys: int, pages: int) -> int:
    """Write `bucket,key` rows and return their number."""
    s3 = boto3.client("s3", endpoint_url=url, config=Config(max_pool_connections=threads))
    lock = Lock()
    with open(output, "w", newline="") as file:

        def listed(number: int) -> int:
            after, count = f"object-{keys // _BLOCK * number // threads:07d}", 0
            for _ in range(pages):
                page = s3.list_objects_v2(Bucket=bucket, StartAfter=after)
                rows = [(bucket, item["Key"]) for item in page["Contents"]]
                text = io.StringIO()
                csv.writer(text).writerows(rows)
                with lock:
                    file.write(text.getvalue())
                count, after = count + len(rows), rows[-1][1]
            return count

        with ThreadPoolExecutor(threads) as pool:
            return sum(pool.map(listed, range(threads)))


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], sys.argv[3], *map(int, sys.argv[4:7])))
