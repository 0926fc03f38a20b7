"""Check what a wheel and its sdist hold: `python tests/wheel_contents.py WHEEL SDIST`."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
BUNDLED = {"queries": "queries", "review_app": "review_app", ".streamlit": "review_app/.streamlit"}
"""Folders of the repository that stand below `btfer/_bundled` in the wheel."""


def tracked(folder: str) -> list[str]:
    """The files of a folder that belong to the project: caches and hidden files do not."""
    return [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    ]


def expected() -> set[str]:
    """Every file of the package, and the bundled folders at their place."""
    names = set(tracked("btfer"))
    for folder, place in BUNDLED.items():
        names |= {f"btfer/_bundled/{place}{one.removeprefix(folder)}" for one in tracked(folder)}
    return names


def wheel_files(wheel: Path) -> dict[str, bytes]:
    """What is installed, by name; the metadata beside it are left out."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if ".dist-info" not in PurePosixPath(name).parts[0]
        }


def wheel_of(sdist: Path, folder: Path) -> Path:
    """The wheel that is built from an sdist alone."""
    shutil.unpack_archive(sdist, folder)  # tarfile's own filters came with Python 3.11.4
    source = next(folder.iterdir())
    built = folder / "dist"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(
        command, cwd=source, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return next(built.glob("*.whl"))


def check(wheel: Path, sdist: Path) -> list[str]:
    """What is wrong, a line each."""
    held, wanted = wheel_files(wheel), expected()
    wrong = [f"the wheel lacks {name}" for name in sorted(wanted - held.keys())]
    wrong += [
        f"the wheel has {name}, which is not a file of it" for name in sorted(held.keys() - wanted)
    ]
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = [
        one for folder in (*BUNDLED, "btfer", "tests", "benchmarks") for one in tracked(folder)
    ]
    wrong += [f"the sdist lacks {name}" for name in sources if name not in names]
    wrong += [f"the sdist has {name}" for name in sorted(names) if name.startswith("data/")]
    with tempfile.TemporaryDirectory() as folder:
        again = wheel_files(wheel_of(sdist, Path(folder)))
    wrong += [f"built from the sdist, {n} differs" for n in sorted(held) if again.get(n) != held[n]]
    return wrong


if __name__ == "__main__":
    problems = check(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(problems) or f"wheel and sdist are complete: {Path(sys.argv[1]).name}")
    sys.exit(bool(problems))
