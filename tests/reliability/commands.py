"""The commands that are killed, each with the work folder that it begins in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.reliability.house import BENCH, BUILD, FACES, IMPORT, KNOWN, btfer, crawl, judge

ASKED = "asked.txt"


@dataclass(frozen=True)
class Command:
    """What runs in a copy of a stage's folder. has_workers: whether it starts processes of its own.

    prepare: what else must be in the folder before. code: with which it ends. share: of the kills of the others, for
    a command that takes long.
    """

    name: str
    stage: str
    work: Callable[..., object]
    has_workers: bool = False
    prepare: Callable[[Path], object] = lambda folder: None
    code: int = 0
    share: float = 1


def _of_the_run(*words: str, after: tuple[str, ...] = ()) -> None:
    """A command about the only run."""
    (run,) = [one.parent.name for one in Path("data/runs").glob("*/run.json")]
    btfer(*words, run, *after)()


def _measure_briefly() -> None:
    """`bench edge` of one form, each measured for a moment."""
    from btfer.bench.edge import measure

    short = {"seconds": 0.1, "specs": measure.SPECS[:1]}
    measure.EdgeRequest = partial(measure.EdgeRequest, **short)  # type: ignore[assignment,misc]
    _of_the_run("bench", "edge", after=("--calibration", FACES))


def _rebuild() -> None:
    """The release of `data` made again in another data folder, from the addresses in it."""
    (release,) = Path("data/releases").iterdir()
    near = ("--set", "allow_private_hosts=true", "--set", "host_delay_s=0")
    btfer("--data-dir", "anew", *near, "rebuild", str(release))()


def _choose_face(folder: Path) -> None:
    """Somebody asks for a face of the release as it is now."""
    (release,) = (folder / "data/releases").iterdir()
    (folder / ASKED).write_text(f"{release.name}/happy-001.png")


def _forget() -> None:
    btfer("forget", Path(ASKED).read_text(), "--yes")()


LEAKS = btfer("leaks", "--against", f"known={KNOWN}", "--against", f"tiny={FACES}")
EXPORT_VERDICTS = btfer("review", "export", "mine.csv", "--gold", "gold.csv")
COPY = ("sqlite:///data/catalogue.db", "sqlite:///copied/catalogue.db")
WITHDRAWN = ("https://example.org/1.jpg", "https://example.org/2.jpg")
COMMANDS = [
    Command("import", "with keys", IMPORT, has_workers=True),
    Command("crawl", "with keys", crawl, has_workers=True),
    Command("dedup", "imported", btfer("dedup")),  # so few photos are compared without workers
    Command("crop", "judged", btfer("crop"), has_workers=True),
    Command("build, all formats", "chosen", BUILD),
    Command("build, from photos", "imported", BUILD, has_workers=True, share=0.5),
    Command("rebuild", "to be rebuilt", _rebuild, has_workers=True),
    Command("leaks", "released", LEAKS, has_workers=True, code=1),
    Command("bench", "released", BENCH, has_workers=True, share=0.5),
    Command("bench edge", "trained", _measure_briefly, share=0.2),
    Command("export", "trained", partial(_of_the_run, "export", after=("--out", "for my phone"))),
    Command("report", "trained", btfer("report"), share=0.5),
    Command("withdraw", "released", btfer("withdraw", *WITHDRAWN)),
    Command("forget", "released", _forget, prepare=_choose_face),
    Command("review, photos", "compared", partial(judge, "photos")),
    Command("review, faces", "cropped", partial(judge, "faces")),
    Command("review export", "chosen", EXPORT_VERDICTS),
    Command("review import", "with their verdicts", btfer("review", "import", "theirs.csv")),
    Command("catalogue upgrade", "older", btfer("catalogue", "upgrade")),
    Command("catalogue copy", "released", btfer("catalogue", "copy", *COPY)),
]
