"""Passwords in what is printed and logged, in the right place of a URL and in wrong ones."""

import logging
import sys
from pathlib import Path

import pytest

from btfer import cli
from btfer.cli import output
from btfer.passwords import without_password, without_passwords


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ann:pw@h:5/x?sslmode=require", "postgresql://ann:***@h:5/x?sslmode=require"),
        ("postgresql://ann@h/x", "postgresql://ann@h/x"),
        ("postgresql://h:5432/x", "postgresql://h:5432/x"),
        ("postgresql://[::1]:5432/x", "postgresql://[::1]:5432/x"),
        ("postgresql:///x?host=/tmp/a:b", "postgresql:///x?host=/tmp/a:b"),
        ("sqlite:///data/p?1.db", "sqlite:///data/p?1.db"),
        ("sqlite:///data/a@b.db", "sqlite:///data/a@b.db"),
        ("postgresql://h/x?user=a&password=b", "postgresql://h/x?user=a&password=***"),
        ("postgresql://h/x?sslpassword=b&port=5", "postgresql://h/x?sslpassword=***&port=5"),
        ("postgresql://h/x?pass%77ord=b", "postgresql://h/x?pass%77ord=***"),
        ("postgresql://ann:p%40w@h/x", "postgresql://ann:***@h/x"),
        ("postgresql://ann:pw/x", "postgresql://ann:***"),  # the host was left out
        ("postgresql:ann:pw@h/x", "***"),
        ("host=h user=u password=pw dbname=x", "***"),
        ("host=h user=u", "host=h user=u"),
    ],
)
def test_what_is_no_secret_is_shown(url: str, expected: str) -> None:
    assert without_password(url) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("no such command 'postgres://a:pw@h/x'.", "no such command 'postgres://a:***@h/x'."),
        ("(postgres://a:pw@h/x?sslmode=no):", "(postgres://a:***@h/x?sslmode=no):"),
        ("proxy http://a:pw@h:8080, twice", "proxy http://a:***@h:8080, twice"),
        ("got 'ray://u:pw@h:1'", "got 'ray://u:***@h:1'"),
        ("postgres://a:p@w@h/x", "postgres://a:***@h/x"),
        ("connect: host=h password='a b' port=5", "connect: host=h password=*** port=5"),
        ("http://HOST:PORT and https://h/@me?key=1", "http://HOST:PORT and https://h/@me?key=1"),
        ("see postgresql://USER@HOST/NAME", "see postgresql://USER@HOST/NAME"),
    ],
)
def test_a_message_is_the_same_but_for_the_password(said: str, expected: str) -> None:
    assert without_passwords(said) == expected


def test_the_log_has_no_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "log.txt"
    output.set_up_logging(log_file=file)
    logging.getLogger("btfer").warning("lost %s", "postgresql://ann:S3cret@h/x")
    output.set_up_logging()
    kept = file.read_text() + capsys.readouterr().err
    assert kept.count("postgresql://ann:***@h/x") == 2
    assert "S3cret" not in kept


URL = "postgresql://ann:S3cret@127.0.0.1:1/x"


@pytest.mark.parametrize("traceback", ["", "1"], ids=["sentence", "traceback"])
@pytest.mark.parametrize(
    "arguments",
    [
        [URL],
        ["status", URL],
        ["--set", URL, "status"],
        ["--catalogue", URL, "status"],
        ["--set", f"catalogue={URL}", "status"],
        ["catalogue", "copy", URL, URL],
        ["--catalogue", "mysql://ann:S3cret@h/x", "status"],
        ["--catalogue", "postgresql://ann:S3cret@h/x?port=abc", "status"],
        ["--catalogue", "postgresql://h/x?password=S3cret&plugin=none", "status"],
        ["--catalogue", "sqlite://ann:S3cret@h/x", "status"],
        ["--catalogue", "host=h password=S3cret", "status"],
    ],
)
def test_a_password_is_said_nowhere_not_even_in_a_traceback(
    arguments: list[str],
    traceback: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("psycopg")
    log = tmp_path / "log.txt"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["btfer", "--log-file", str(log), *arguments])
    monkeypatch.setattr(cli, "ENDING", ())
    monkeypatch.setenv("BTFER_TRACEBACK", traceback)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code in (1, 2)
    said = capsys.readouterr()
    assert said.err
    assert "S3cret" not in said.out + said.err + (log.read_text() if log.exists() else "")
