"""Files that only save time."""

from pathlib import Path

import numpy as np
import pytest

from btfer.cached import cached


def whole(path: Path) -> None:
    np.savez(path, a=np.arange(1000))


def read(path: Path) -> list[int]:
    with np.load(path) as file:
        found: list[int] = file["a"].tolist()
    return found


@pytest.mark.parametrize(
    "damage", ["none", "missing", "empty", "cut", "headless", "zeros", "text", "other"]
)
def test_what_is_missing_or_damaged_is_made_again(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "kept.npz"
    whole(path)
    data = path.read_bytes()
    if damage == "other":
        np.savez(path, b=np.arange(3))
    elif damage == "missing":
        path.unlink()
    elif damage != "none":
        path.write_bytes(
            {
                "empty": b"",
                "cut": data[:700],
                "headless": b"PK\3\4" + data[204:],  # its directory names a place before the begin
                "zeros": bytes(len(data)),
                "text": b"a,b\n",
            }[damage]
        )
    made = []

    def make() -> None:
        made.append(path)
        whole(path)

    assert cached(path, make, read) == list(range(1000))
    assert len(made) == (damage != "none")


def test_what_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    with pytest.raises(FileNotFoundError):
        cached(path, lambda: None, read)
    with pytest.raises(EOFError):
        cached(path, lambda: path.write_bytes(b""), read)


def test_what_the_disk_refuses_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    whole(path)

    def refused(_: Path) -> list[int]:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(PermissionError):
        cached(path, lambda: None, refused)
    assert path.is_file()
