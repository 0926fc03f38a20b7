"""What is read where somebody names a file: never for ever."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from btfer import plain_files
from btfer.plain_files import read_piped, read_plain, read_plain_text


def test_a_file_is_read_as_python_reads_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("\ufeffone\r\ntwo\rthree\n".encode())
    assert read_plain_text(tmp_path / "a", "utf-8-sig") == "one\ntwo\nthree\n"
    (tmp_path / "link").symlink_to("a")
    assert read_plain(tmp_path / "link") == (tmp_path / "a").read_bytes()


def test_what_is_no_file_or_too_large_is_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * 11)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "socket"))
    for path in (tmp_path / "pipe", tmp_path / "socket", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match=r"it is not a file|Is a directory"):
            read_plain(path)
    with pytest.raises(OSError, match="more than 10 bytes"):
        read_plain(tmp_path / "large", 10)
    assert read_plain(tmp_path / "large", 11) == b"x" * 11


def test_a_pipe_is_waited_for_and_read_to_its_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        time.sleep(0.1)
        with pipe.open("wb") as file:
            time.sleep(0.1)
            file.write(b"one ")
            file.flush()
            time.sleep(0.1)
            file.write(b"x" * 100_000)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_piped(pipe, 1_000_000) == b"one " + b"x" * 100_000
    writer.join()


def test_a_pipe_without_a_writer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_files, "PATIENCE_S", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="into which nobody writes"):
        read_piped(tmp_path / "pipe", 10)


def test_of_what_never_ends_one_byte_more_than_asked_is_read(tmp_path: Path) -> None:
    assert read_piped(Path("/dev/zero"), 3_000_000) == b"\0" * 3_000_001
    assert read_piped(Path("/dev/null"), 10) == b""
    (tmp_path / "a").write_bytes(b"12345")
    assert read_piped(tmp_path / "a", 10) == b"12345"
