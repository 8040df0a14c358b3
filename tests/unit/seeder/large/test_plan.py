from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.errors import InvalidRequest
from seeder.large.plan import GIB, MIB, S3, STREAMS, Part, expect, pack, plan, unpack

FIFTY_TB = 50 * 10**12


def assert_sound(parts: list[Part], size: int) -> None:
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    end = 0
    for part in parts:
        assert part.start == end
        end += part.size
    assert end == size
    assert len(parts) <= 10_000
    assert all(part.size >= 5 * MIB for part in parts[:-1])
    assert all(part.size <= 5 * GIB for part in parts)


sizes = st.one_of(
    st.integers(0, S3.largest),
    st.integers(0, 10_000)
    .flatmap(lambda count: st.integers(-1, 1).map(lambda off: max(0, count * 5 * GIB + off)))
    .filter(lambda size: size <= S3.largest),
    st.integers(0, GIB),
)


@settings(max_examples=25)
@given(sizes)
def test_every_byte_is_in_one_part_and_parts_keep_to_the_bounds(size: int) -> None:
    assert_sound(plan(size), size)


@given(st.lists(st.integers(5 * MIB, 5 * GIB), max_size=40), st.integers(1, 5 * GIB))
def test_the_sources_parts_are_kept(whole: list[int], last: int) -> None:
    given_sizes = [*whole, last]
    parts = plan(sum(given_sizes), given_sizes)
    assert [part.size for part in parts] == given_sizes
    assert_sound(parts, sum(given_sizes))


@given(st.lists(st.integers(0, 6 * GIB), max_size=12), st.integers(-1, 1))
def test_parts_that_do_not_fit_or_add_up_are_not_kept(given_sizes: list[int], off: int) -> None:
    size = max(0, sum(given_sizes) + off)
    assert_sound(plan(size, given_sizes), size)


def test_the_largest_object_has_ten_thousand_parts_of_5_gib() -> None:
    parts = plan(S3.largest)
    assert S3.largest == 53_687_091_200_000
    assert (len(parts), {part.size for part in parts}) == (10_000, {5 * GIB})


def test_one_byte_more_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"size: 53687091200001 bytes .* \(53687091200000\)"):
        plan(S3.largest + 1)


def test_an_object_of_50_tb_fits() -> None:
    assert_sound(plan(FIFTY_TB), FIFTY_TB)


def test_an_object_of_6_gib_is_copied_in_parts_of_128_mib() -> None:
    assert {part.size for part in plan(6 * GIB)} == {128 * MIB}


def test_ranges_name_the_first_and_the_last_byte() -> None:
    assert [part.range for part in plan(128 * MIB + 1)] == ["bytes=0-134217727", "bytes=134217728-134217728"]
    assert [part.range for part in plan(0)] == [""]


@given(st.lists(st.sampled_from([5 * MIB, 8 * MIB, 9 * MIB]), min_size=1, max_size=50))
def test_packed_parts_are_the_same_unpacked(given_sizes: list[int]) -> None:
    parts = plan(sum(given_sizes), given_sizes)
    assert unpack(pack(parts)) == parts


def test_equal_parts_pack_to_two_pairs_at_most() -> None:
    assert len(pack(plan(FIFTY_TB))) == 2


@settings(max_examples=25)
@given(sizes)
def test_no_copy_is_expected_faster_than_its_streams(size: int) -> None:
    expected = expect(size, bytes_per_second=10**6, streams=8)
    assert expected.seconds >= size / (8 * 10**6) - 1
    assert expected.calls >= 1


def test_what_the_documentation_says_of_50_tb() -> None:
    expected = expect(FIFTY_TB)
    assert (expected.parts, STREAMS) == (9997, 64)
    assert round(expected.seconds / 3600, 1) == 4.4
    assert expected.calls == 23


def test_6_gib_take_one_call_of_seconds() -> None:
    assert expect(6 * GIB).calls == 1
    assert expect(6 * GIB).seconds < 10
