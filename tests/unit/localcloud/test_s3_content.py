from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.s3.content import EXACT_BYTES, Content, ContentStream

SIZE = 10_000
WHOLE = Content.of("seed", SIZE)
BYTES = bytes(WHOLE)
PLACES = st.integers(-SIZE - 10, SIZE + 10) | st.none()
TERABYTE = 10**12


@given(PLACES, PLACES)
def test_a_slice_holds_what_a_slice_of_the_bytes_holds(start: int | None, stop: int | None) -> None:
    assert bytes(WHOLE[start:stop]) == BYTES[start:stop]
    assert len(WHOLE[start:stop]) == len(BYTES[start:stop])


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, SIZE), st.integers(0, SIZE)), max_size=6), PLACES, PLACES
)
def test_joined_pieces_are_their_bytes_in_a_row(
    pieces: list[tuple[bool, int, int]], start: int | None, stop: int | None
) -> None:
    joined = Content.joined(BYTES[a:b] if stored else WHOLE[a:b] for stored, a, b in pieces)
    expected = b"".join(BYTES[a:b] for _, a, b in pieces)
    assert bytes(joined) == expected
    assert bytes(joined[start:stop]) == expected[start:stop]
    assert joined.md5() == hashlib.md5(expected, usedforsecurity=False).hexdigest()


@given(st.lists(st.integers(0, TERABYTE), max_size=5))
def test_a_large_content_put_together_again_has_the_same_digest(cuts: list[int]) -> None:
    whole = Content.of("seed", TERABYTE)
    places = [0, *sorted(cuts), TERABYTE]
    joined = Content.joined(whole[a:b] for a, b in itertools.pairwise(places))
    assert joined.md5() == whole.md5()


def test_contents_that_differ_in_seed_place_or_length_differ_in_their_digest() -> None:
    large = EXACT_BYTES + 1
    whole = Content.of("seed", 4 * large)
    contents = [whole[:large], whole[1 : large + 1], whole[: large + 1], Content.of("other", large)]
    assert len({content.md5() for content in contents}) == len(contents)


def test_two_blocks_of_a_pattern_differ() -> None:
    assert len({bytes(WHOLE[place : place + 4096]) for place in (0, 4096)}) == 2


@given(st.lists(st.integers(0, 4000), max_size=5))
def test_a_stream_gives_the_bytes_in_the_portions_asked_for(portions: list[int]) -> None:
    stream = ContentStream(WHOLE)
    read = [stream.read(portion) for portion in portions]
    assert b"".join([*read, stream.read()]) == BYTES
    assert b"".join(ContentStream(WHOLE).stream()) == BYTES


def test_only_plain_slices_are_supported() -> None:
    with pytest.raises(ValueError, match="slice step is 2; only 1 is supported"):
        WHOLE[::2]
