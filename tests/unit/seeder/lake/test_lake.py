from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.errors import AlreadyExists, InvalidRequest, Lost, UnexpectedAnswer
from seeder.lake import changelog, lake, objects, upkeep
from seeder.lake.entry import Entry, key_of, names_of
from seeder.lake.lake import Dataset, Lake
from seeder.lake.registries import REGISTRY_KEY
from tests.keys import TRAPS
from tests.unit.seeder.lake.store import WRITTEN_AT, Client, Fate, Store, scripted, timeless

DAY = {"year": "2024", "month": "01"}
LATER = WRITTEN_AT + timedelta(days=1)


def of(store: Any, **given: Any) -> Lake:
    return Lake(store, "b", retry=timeless(), now=lambda: LATER, **given)


def registry(store: Store, key: str = REGISTRY_KEY) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(store.objects[key].body)["body"]
    return body


def put(store: Store, key: str, **metadata: str) -> None:
    objects.create(store, "b", key, b"1", metadata=metadata, retry=timeless())  # type: ignore[arg-type]  # a store is no client


text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
names = text.filter(lambda name: "/" not in name)


@given(names, st.dictionaries(text, text, max_size=3), names)
def test_a_key_tells_the_names_it_was_made_of(dataset: str, partition: dict[str, str], name: str) -> None:
    key = key_of(dataset, partition, name)
    assert names_of(key) == (dataset, partition, name)
    assert list(names_of(key).partition) == list(partition)


@pytest.mark.parametrize(
    ("names", "field"),
    [
        (("", DAY, "f"), "dataset"),
        (("a/b", DAY, "f"), "dataset"),
        (("a", {"year": ""}, "f"), "partition"),
        (("a", {"": "1"}, "f"), "partition"),
        (("a", DAY, ""), "name"),
        (("a", DAY, "f/g"), "name"),
        (("a", DAY, "é" * 600), "name"),
    ],
)
def test_names_that_make_no_key_are_refused(names: tuple[str, dict[str, str], str], field: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{field}:"):
        key_of(*names)


@pytest.mark.parametrize(
    "key",
    ["datasets/a", "other/a/f", "datasets/a/b/f", "datasets/a/b=/f", "datasets//f", "datasets/a/b=1/", "f"],
)
def test_other_keys_tell_no_names(key: str) -> None:
    with pytest.raises(InvalidRequest):
        names_of(key)


@pytest.mark.parametrize("value", [trap for trap in TRAPS if 0 < len(trap.encode()) < 200][::3])
def test_a_file_stands_where_its_names_say_and_is_registered(value: str) -> None:
    store = Store()
    entry = of(store).add_file("events", {"k": value}, "f.csv", b"123", 7, 2)
    assert store.objects[entry.key].body == b"123"
    assert of(store).read().entries == {entry.key: entry}
    assert (entry.partition, entry.records, entry.schema_version, entry.size) == ({"k": value}, 7, 2, 3)


def test_the_registry_says_of_each_dataset_what_the_pattern_asks_for() -> None:
    store = Store()
    one = of(store)
    one.add_file("events", DAY, "1", b"123", 7)
    entry = one.add_file("events", DAY, "2", b"45", 3, 2)
    held = registry(store)["datasets"]["events"]
    at = LATER.isoformat(timespec="milliseconds")
    assert one.datasets() == {"events": Dataset(("year", "month"), 2, 10, 5, 2, at)}
    assert held["recent"][1] == {
        "revision": 2,
        "at": at,
        "added": {
            "key": "datasets/events/year=2024/month=01/2",
            "size": 2,
            "etag": entry.etag,
            "records": 3,
            "schema_version": 2,
            "partition": DAY,
        },
    }


def test_a_repeat_is_one_entry_and_other_bytes_or_records_are_refused() -> None:
    store = Store()
    first = of(store).add_file("events", DAY, "1", b"123", 7)
    assert of(store).add_file("events", DAY, "1", b"123", 7) == first
    for body, records in ((b"456", 7), (b"123", 8)):
        with pytest.raises(AlreadyExists):
            of(store).add_file("events", DAY, "1", body, records)
    assert of(store).read().entries == {first.key: first}
    assert of(store).read().revision == 1


def test_a_new_file_is_registered_without_reading_any_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "INLINE_BYTES", 500)
    store = Store()
    for number in range(10):
        of(store).add_file("events", DAY, str(number), b"1", 1)
    client = scripted(store)
    of(client).add_file("events", DAY, "new", b"1", 1)
    assert len([key for key in store.objects if key.startswith("metastore/datasets/")]) > 2
    assert client.calls.count("get_object") == 2


@pytest.mark.parametrize("given", [{"records": -1}, {"schema_version": 0}, {"partition": {"day": "1"}}])
def test_what_is_refused_leaves_no_object_and_the_registry_as_it_was(given: dict[str, Any]) -> None:
    store = Store()
    of(store).add_file("events", DAY, "1", b"1", 1)
    before = dict(store.objects)
    fields: dict[str, Any] = {"partition": DAY, "records": 1, "schema_version": 1, **given}
    with pytest.raises(InvalidRequest, match=f"^{next(iter(given))}:"):
        of(store).add_file("events", name="2", body=b"2", **fields)
    assert store.objects == before


def test_a_file_of_this_machine_is_put_in_parts_when_it_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "LARGE_BYTES", 10)
    store, told = Store(), list[int]()
    for name, size, calls in (("small", 10, "put_object"), ("large", 11, "complete_multipart_upload")):
        path = tmp_path / name
        path.write_bytes(b"x" * size)
        client = scripted(store)
        entry = of(client).add_file("events", DAY, name, path, 1, tell=told.append)
        assert (entry.size, calls in client.calls, told[-1]) == (size, True, size)
        assert of(store).add_file("events", DAY, name, path, 1) == entry
    assert upkeep.verify(of(store)) == []


@pytest.mark.parametrize("fanout", [2, 3, 32])
def test_any_revision_can_be_read_and_what_changed_since(
    fanout: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changelog, "INLINE_BYTES", 700)
    monkeypatch.setattr(changelog, "FANOUT", fanout)
    store = Store()
    writer, stood = of(store), [set[str]()]
    for number in range(25):
        dataset = "events" if number % 3 else "people"
        entry = writer.add_file(dataset, DAY, str(number), b"1", 1)
        stood.append(stood[-1] | {entry.key})
        if number % 5 == 4:
            writer.remove_files([entry.key])
            stood.append(stood[-1] - {entry.key})
    reader = of(store)
    for revision, keys in enumerate(stood):
        assert set(reader.read(revision=revision).entries) == keys
        later = reader.changes(since=revision)
        assert [change.revision for change in later] == list(range(revision + 1, len(stood)))
        for change in later:
            keys = keys | {change.entry.key} if change.is_added else keys - {change.entry.key}
        assert keys == stood[-1]
    assert set(reader.read("people").entries) == {key for key in stood[-1] if "/people/" in key}
    assert sum(one.files for one in reader.datasets().values()) == len(stood[-1])
    assert upkeep.verify(reader) == []
    with pytest.raises(InvalidRequest, match="give 0 to 30"):
        reader.read(revision=31)


def test_only_lists_with_later_changes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "INLINE_BYTES", 500)
    store = Store()
    last = [of(store).add_file("events", DAY, str(number), b"1", 1) for number in range(30)][-1]
    client = scripted(store)
    assert of(client).changes(last.revision - 1)[0].entry == last
    assert len(client.calls) <= 2


def test_an_update_among_ten_thousand_files_writes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    store, body = Store(), dict[str, Any]()
    lists = of(store).lists
    most = 0
    for number in range(10_000):
        key = key_of("customer_profiles", {**DAY, "day": "01"}, f"profile_data_{number:05d}.parquet")
        entry = Entry(key, 123_456, f'"{number:032x}"', 10_000, 1)
        before = len(store.history)
        body = changelog.add(body, entry, "2024-01-01T00:00:00.000+00:00", lists)
        listed = [written.body for _, written in store.history[before:] if written]
        # What every hundredth writes, and each that writes lists.
        if listed or number % 100 == 0:
            most = max(most, len(json.dumps(body)) + sum(map(len, listed)))
    assert most < 64 * 1024
    assert sum(len(held.body) for held in store.objects.values()) < 1.1 * 10_000 * 400
    assert len(changelog.standing(changelog.changes(body, "customer_profiles", lists))) == 10_000


def test_a_list_that_is_not_there_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "INLINE_BYTES", 100)
    store = Store()
    of(store).add_file("events", DAY, "1", b"1", 1)
    key = next(key for key in store.objects if key.startswith("metastore/datasets/events/"))
    del store.objects[key]
    with pytest.raises(UnexpectedAnswer, match=f"s3://b/{key} is not there; restore it"):
        of(store).read()


def test_files_are_removed_from_the_registry_then_deleted_and_again_changes_nothing() -> None:
    store = Store()
    one = of(store)
    kept, gone = (one.add_file("events", DAY, name, b"1", 3) for name in ("kept", "gone"))
    assert [entry.key for entry in one.remove_files([gone.key, gone.key])] == [gone.key]
    assert one.remove_files([gone.key]) == []
    assert (gone.key in store.objects, set(one.read().entries)) == (False, {kept.key})
    assert (one.datasets()["events"].records, one.read().revision) == (3, 3)
    assert one.add_file("events", DAY, "gone", b"2", 1).revision == 4


def test_a_file_written_anew_since_is_not_deleted() -> None:
    store = Store()
    entry = of(store).add_file("events", DAY, "1", b"1", 1)
    objects.replace(store, "b", entry.key, b"2", entry.etag, retry=timeless())  # type: ignore[arg-type]  # a store is no client
    with pytest.raises(Lost):
        of(store).remove_files([entry.key])
    assert store.objects[entry.key].body == b"2"


def test_a_split_lake_has_a_registry_for_each_dataset_and_a_root() -> None:
    store = Store()
    for dataset in ("events", "people", "events"):
        of(store, split=True).add_file(dataset, DAY, str(len(store.objects)), b"1", 1)
    keys = {name: f"metastore/datasets/{name}/registry.json" for name in ("events", "people")}
    assert registry(store) == {"schema_version": 1, "registries": keys}
    found = Lake.open(store, "b", retry=timeless(), now=lambda: LATER)  # type: ignore[arg-type]  # a store is no client
    assert {name: one.files for name, one in found.datasets().items()} == {"events": 2, "people": 1}
    assert (found.read("events").revision, found.read("people").revision) == (2, 1)
    assert upkeep.verify(found) == []
    with pytest.raises(InvalidRequest, match="name one"):
        found.read()


@pytest.mark.parametrize("split", [True, False])
def test_a_lake_is_not_written_as_what_it_is_not(split: bool) -> None:
    store = Store()
    of(store, split=split).add_file("events", DAY, "1", b"1", 1)
    before = dict(store.objects)
    with pytest.raises(InvalidRequest, match=f"give split={split}"):
        of(store, split=not split).add_file("events", DAY, "2", b"1", 1)
    assert store.objects == before


@pytest.mark.parametrize("split", [True, False])
def test_a_group_commit_is_drained_when_the_lake_is_closed(split: bool) -> None:
    store = Store()
    with of(store, split=split, group=True) as one:
        entry = one.add_file("events", DAY, "1", b"1", 1)
        assert one.add_file("events", DAY, "1", b"1", 1) == entry
        assert one.read("events").entries == {entry.key: entry}
    with pytest.raises(InvalidRequest, match="closed"):
        one.add_file("events", DAY, "2", b"1", 1)


def test_what_does_not_agree_is_found_and_what_can_be_is_repaired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "INLINE_BYTES", 100)
    store = Store()
    one = of(store)
    entries = [one.add_file("events", DAY, str(number), b"1", 1) for number in range(4)]
    folder = entries[0].key[:-1]
    del store.objects[entries[0].key]
    objects.replace(store, "b", entries[1].key, b"2", entries[1].etag, retry=timeless())  # type: ignore[arg-type]  # a store is no client
    told = {"seeder-records": "5", "seeder-schema-version": "2"}
    put(store, f"{folder}orphan", **told)
    for foreign in ("datasets/events/odd", f"{folder}untold"):
        put(store, foreign)
    put(store, "datasets/odd", **told)
    put(store, "metastore/datasets/events/0123.json")
    expected = {
        entries[0].key: "missing",
        entries[1].key: "different",
        f"{folder}orphan": "orphan",
        "datasets/events/odd": "foreign",
        "datasets/odd": "foreign",
        f"{folder}untold": "foreign",
        "metastore/datasets/events/0123.json": "left-over",
    }
    assert {found.key: found.problem for found in upkeep.verify(one)} == expected
    done, left = upkeep.repair(one)
    assert {found.problem for found in done} == {"orphan", "left-over"}
    assert {found.problem for found in left} == {"missing", "different", "foreign"}
    assert upkeep.verify(one) == left
    registered = one.read().entries[f"{folder}orphan"]
    assert (registered.records, registered.schema_version) == (5, 2)


def test_what_is_young_may_still_be_registered_by_its_writer() -> None:
    store = Store()
    put(store, "datasets/events/1", **{"seeder-records": "5", "seeder-schema-version": "1"})
    one = of(store)
    assert upkeep.verify(one, timedelta(days=2)) == []
    assert [found.problem for found in upkeep.verify(one)] == ["orphan"]


def test_a_removal_that_died_half_way_is_completed_not_undone() -> None:
    store = Store()
    entry = of(store).add_file("events", DAY, "1", b"1", 1)
    client = Client(store, lambda name: Fate.DENIED if name == "delete_object" else Fate.GOOD)
    with pytest.raises(Exception, match="AccessDenied"):
        of(client).remove_files([entry.key])
    assert entry.key in store.objects
    upkeep.repair(of(store))
    assert (entry.key in store.objects, of(store).read().entries) == (False, {})


def test_counts_that_are_wrong_are_found_and_made_right() -> None:
    store = Store()
    one = of(store)
    one.add_file("events", DAY, "1", b"1", 4)

    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["datasets"]["events"]["records"] = 9
        return body

    one.registries.of("events").update(spoil)
    assert [found.problem for found in upkeep.verify(one)] == ["counts"]
    upkeep.repair(one)
    assert (upkeep.verify(one), one.datasets()["events"].records) == ([], 4)


def test_times_are_those_of_the_clock_given() -> None:
    store = Store()
    at = datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)
    one = Lake(store, "b", retry=timeless(), now=lambda: at)  # type: ignore[arg-type]  # a store is no client
    assert one.add_file("events", DAY, "1", b"1", 4).added_at == "2030-05-06T07:08:09.000+00:00"
