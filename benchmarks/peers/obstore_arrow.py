"""List with obstore into Arrow batches, write with arro3: URL BUCKET OUTPUT. Prints the number of keys."""

from __future__ import annotations

import sys

import arro3.io  # type: ignore[import-not-found]  # in the peer's own environment
import obstore  # type: ignore[import-not-found]  # as above
from obstore.store import S3Store  # type: ignore[import-not-found]  # as above


def main(url: str, bucket: str, output: str) -> int:
    """Write the keys of all objects and return their number."""
    options = {"allow_http": True}
    store = S3Store(bucket, endpoint=url, client_options=options, virtual_hosted_style_request=False)
    count = 0
    with open(output, "wb") as file:
        for batch in obstore.list(store, chunk_size=1000, return_arrow=True):
            arro3.io.write_csv(batch.select(["path"]), file)
            count += batch.num_rows
    return count


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
