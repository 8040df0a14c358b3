"""Input of any shape: JSON values, documents that are almost right, and bytes that were torn or changed."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.keys import TRAPS

# How many examples each property gets; `make fuzz N=…` sets it.
MANY = int(os.environ.get("SEEDER_FUZZ", "0"))
# Far more than any input of a few KB needs, on a machine that is busy: what takes longer hangs.
DEADLINE = timedelta(seconds=10)
LONG = 1024 * 1024
DEEP = 100_000

Path = tuple[Any, ...]


def fuzzed(examples: int) -> Callable[[Any], Any]:
    """Return the settings of a property that gets so many examples, or as many as `make fuzz` asks for."""
    return settings(
        max_examples=MANY or examples,
        deadline=DEADLINE,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.function_scoped_fixture,
        ],
    )


# What a JSON document can hold in a text, a lone half of a surrogate pair among it.
awkward = st.sampled_from(
    [
        *TRAPS,
        "",
        "\ud800",
        "\x00",
        "\x1b[2J\x1b[31m",
        "a\r\nseeder: all is well",
        "\u202egnp",
        "{source}",
        "${jndi:x}",
        "a: b; c",
        "'",
        "NaN",
        "1e999",
        "٣",
        "s3://",
    ]
)
# By name, for hypothesis writes strategies out.
_LARGE: dict[str, Any] = {
    "long text": "x" * 5000,
    "bells": "\x07" * 5000,
    "long number": 10**4000,
    "deep list": b"[" * DEEP,
    "digits": b"9" * 5000,
}
large_texts = st.sampled_from(["long text", "bells"]).map(lambda name: str(_LARGE[name]))
texts = st.one_of(
    awkward, large_texts, st.text(max_size=20), st.text(st.characters(codec="latin-1"), max_size=6)
)
numbers = st.one_of(
    st.integers(-2, 3),
    st.sampled_from([2**31, 2**53 + 1, -(2**63), 2**64, 10**30]),
    st.just("long number").map(lambda name: int(_LARGE[name])),
    st.floats(),
)
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
any_json = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)
any_object = st.dictionaries(texts, any_json, max_size=5)


@st.composite
def altered(draw: st.DrawFn, documents: st.SearchStrategy[Any], most: int = 3) -> Any:
    """Draw a document with up to so many changes: members replaced, taken out, doubled, or added."""
    document = copy.deepcopy(draw(documents))
    for _ in range(draw(st.integers(0, most))):
        document = _changed(draw, document)
    return document


def _changed(draw: st.DrawFn, document: Any) -> Any:
    path = draw(st.sampled_from(list(_paths(document))))
    if not path:
        return draw(any_json) if draw(st.integers(0, 9)) == 0 else document
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    last, what = path[-1], draw(st.sampled_from(["replace", "replace", "remove", "double", "add"]))
    if what == "replace":
        holder[last] = draw(any_json)
    elif what == "remove":
        del holder[last]
    elif isinstance(holder, list):
        holder.insert(last, copy.deepcopy(holder[last]) if what == "double" else draw(any_json))
    else:
        holder[draw(texts)] = copy.deepcopy(holder[last]) if what == "double" else draw(any_json)
    return document


def _paths(document: Any) -> Iterator[Path]:
    yield ()
    members: Any = ()
    if isinstance(document, dict | list):
        members = document.items() if isinstance(document, dict) else enumerate(document)
    for name, inner in members:
        yield (name,)
        yield from ((name, *rest) for rest in _paths(inner) if rest)


def written(document: Any) -> bytes:
    """Return a document as JSON, with what Python's own reader takes beyond the standard: NaN, lone surrogates."""
    return json.dumps(document).encode()


@st.composite
def torn(draw: st.DrawFn, bodies: st.SearchStrategy[bytes], most: int = 3) -> bytes:
    """Draw bytes with up to so many changes: cut at either end, pieces taken out, moved, doubled, or put in."""
    body = draw(bodies)
    for _ in range(draw(st.integers(0, most))):
        first, second = sorted((draw(st.integers(0, len(body))), draw(st.integers(0, len(body)))))
        head, piece, tail = body[:first], body[first:second], body[second:]
        body = draw(
            st.sampled_from(
                [
                    head,
                    tail,
                    head + tail,
                    head + piece + piece + tail,
                    tail + piece + head,
                    head + draw(pieces) + tail,
                    head + draw(pieces) + piece + tail,
                ]
            )
        )
    return body


pieces = st.one_of(
    st.binary(max_size=4),
    st.sampled_from([b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\n", b"\r\n", b'"', b",", b"{"]),
    st.sampled_from(["deep list", "digits"]).map(lambda name: bytes(_LARGE[name])),
)


def nested(kind: str = "[") -> bytes:
    """Return JSON that is nested deeper than any reader follows."""
    return (b"[" * DEEP + b"]" * DEEP) if kind == "[" else (b'{"a":' * DEEP + b"0" + b"}" * DEEP)
