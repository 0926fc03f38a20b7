"""Database URLs: the spellings that are taken, and what is said of those that are not."""

from pathlib import Path

import pytest

from btfer.catalogue import open_catalogue
from btfer.catalogue.address import parse, sqlite_file
from btfer.errors import BtferError, UsageError

SECRET = "S3cr/et@pw"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:S3cr/et@pw@h/x",
        "postgresql://u:S3cr/et@pw@127.0.0.1:port/x",
        "postgresql://u:S3cr/et@pw@127.0.0.1:99999999/x",
        "postgres://u:S3cr/et@pw@[::1/x",
        "postgresql+asyncpg:u:S3cr/et@pw@h/x",
        "u:S3cr/et@pw@h",
        "://u:S3cr/et@pw@h/x",
        "mysql://h/x?password=S3cr/et@pw",
        "mysql://u@h/x?user=a&sslpassword=S3cr/et@pw",
        "redis://:S3cr/et@pw@h",
        "postgresql://u:S3cr/x",
        "sqlite://u:S3cret@h/x",
        "host=h user=u password=S3cr/et@pw",
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        open_catalogue(url)
    assert SECRET not in str(refused.value)
    assert "S3cr" not in str(refused.value)
    assert "use sqlite:///FILE or postgresql://USER@HOST/NAME" in str(refused.value) or (
        "write an @ in the password as %40" in str(refused.value)
    )


@pytest.mark.parametrize("parameters", ["port=abc", "plugin=none"])
def test_parameters_that_cannot_be_right_are_a_usage_error(parameters: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(UsageError, match="catalogue 'postgresql://h/x"):
        open_catalogue(f"postgresql://h/x?{parameters}")


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(BtferError) as failed:
        open_catalogue("postgres://u:S3cret@127.0.0.1:1/x")
    assert "S3cret" not in str(failed.value)
    assert "127.0.0.1" in str(failed.value)


def test_a_socket_may_be_written_as_libpq_writes_it_and_nothing_is_cut_off() -> None:
    assert parse("postgres://ann:a%2Fb@%2Frun%2Fpg:5433/x").host == "/run/pg"
    with pytest.raises(UsageError, match=r"'postgres://u:\*\*\*@h/x': a %00 cannot be"):
        parse("postgres://u:S3c%00ret@h/x")


def test_the_common_short_spelling_of_postgresql_is_taken() -> None:
    assert parse("postgres://ann@h/x") == parse("postgresql://ann@h/x")
    assert sqlite_file("postgres://ann@h/x") is None
    assert sqlite_file("sqlite:////tmp/p?1.db") == Path("/tmp/p?1.db")
