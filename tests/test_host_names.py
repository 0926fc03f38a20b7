"""Which names are those of a server on this machine, and which Host headers say one of them."""

import socket

import pytest

from btfer.host_names import LOOPBACK, is_among, own_names, plain

ALLOWED = [*LOOPBACK, "Faces.example", "*.team.example", "[fe80::1]"]


def test_the_names_of_a_server_are_those_it_listens_on() -> None:
    assert own_names("127.0.0.1") == list(LOOPBACK)
    assert own_names("10.1.2.3", "Faces.example") == [*LOOPBACK, "10.1.2.3", "faces.example"]
    assert own_names("FE80::0:1") == [*LOOPBACK, "fe80::1"]


@pytest.mark.parametrize("every", ["0.0.0.0", "::", ""])
def test_on_all_addresses_it_has_the_machines_own_names(every: str) -> None:
    names = own_names(every, "faces.example")
    assert {*LOOPBACK, "faces.example", plain(socket.gethostname())} <= set(names)
    assert not {"0.0.0.0", "::", ""} & set(names)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:8501",
        "localhost.",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:8501",
        "[0:0:0:0:0:0:0:1]:8501",
        "faces.EXAMPLE:443",
        "a.team.example",
        "[FE80::1]",
        "localhost:",
    ],
)
def test_a_name_of_the_server_is_known_in_all_its_spellings(host: str) -> None:
    assert is_among(host, ALLOWED)


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "faces.example.org",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "localhost@evil.example",
        "evil.example#localhost",
        "evil.example/localhost",
        "[::1]evil.example",
        "[::1",
        "::1",
        "localhost:80:80",
        "localhost:port",
        "localhost:999999",
        "localhost, evil.example",
        "localhost evil.example",
        "evil.example\\localhost",
        "team.example",
        "evilteam.example",
        "2130706433",
        "0.0.0.0",
        "local\nhost",
        "ｌocalhost",
    ],
)
def test_anything_else_is_foreign(host: str) -> None:
    assert not is_among(host, ALLOWED)


def test_a_star_is_any_name_but_no_nonsense() -> None:
    assert is_among("anything.example:80", ["*"])
    assert not is_among("", ["*"])
    assert not is_among("a b", ["*"])
