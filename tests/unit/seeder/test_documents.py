from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, ValidationError

from seeder.documents import MOST_SHOWN, parsed, problem_of, shown


@pytest.mark.parametrize("value", ["text", 7, 1.5, None, ["a", {"b": 1}], {"k": "v"}])
def test_a_small_value_is_shown_as_python_writes_it(value: object) -> None:
    assert shown(value) == repr(value)


@pytest.mark.parametrize("depth", [10, 900])
def test_a_value_of_any_size_or_depth_is_shown_in_a_few_words(depth: int) -> None:
    deep = json.loads("[" * depth + "]" * depth)
    for value in ("x" * 10_000, [deep] * 100, {str(n): deep for n in range(100)}, 10**4000):
        assert 0 < len(shown(value)) <= MOST_SHOWN


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000, b"\xff", b"", "{"])
def test_what_is_no_json_that_can_be_read_is_a_value_error(body: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parsed(body)


def test_the_first_problem_is_told_with_its_place_and_value() -> None:
    class Document(BaseModel):
        names: list[str]

    with pytest.raises(ValidationError) as refused:
        Document.model_validate({"names": ["a", 7]})
    assert problem_of(refused.value) == "names.1 is 7: Input should be a valid string"
    with pytest.raises(ValidationError) as refused:
        Document.model_validate({})
    assert problem_of(refused.value) == "names is missing"
