from __future__ import annotations

from typing import Any

import pytest

from seeder.clients import CONNECTIONS, Clients
from seeder.large.plan import CALL_SECONDS, STREAMS
from seeder.large.session import patient, without_illegal_characters


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (b"<Key>a&#x1;b&#8;c</Key>", b"<Key>abc</Key>"),
        (b"<Key>a\x01b\xef\xbf\xbec</Key>", b"<Key>abc</Key>"),
        ("<Key>&amp;&#xA;&#65;é\t\n</Key>".encode(), "<Key>&amp;&#xA;&#65;é\t\n</Key>".encode()),
    ],
)
def test_only_what_xml_can_not_carry_is_dropped(answer: bytes, read: bytes) -> None:
    given = {"body": answer}
    without_illegal_characters(response_dict=given)
    assert given["body"] == read


def test_clients_wait_as_long_as_s3_takes_and_have_a_connection_for_each_part() -> None:
    config: Any = Clients(patient()).s3("eu-west-1").meta.config
    assert (config.read_timeout, config.max_pool_connections) == (CALL_SECONDS, CONNECTIONS)
    assert STREAMS <= CONNECTIONS
