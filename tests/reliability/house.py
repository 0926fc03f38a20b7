"""Work folders as they are before each command: made once of a few pictures of the built-in sample, then copied."""

import csv
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from btfer.errors import BtferError
from btfer.expressions import EXPRESSIONS
from btfer.files import write_atomic
from btfer.sample import load_manifest, picture_path
from btfer.sample.training_pack import read_pack
from tests.reliability.zygote import Job, Zygote

if TYPE_CHECKING:
    from btfer.review import Item, Judged

PER_CLASS = 2
LEARNT_PER_CLASS = 6
PHOTOS, FACES, KNOWN = "my photos", "faces to learn from", "known faces"
REVIEWER = "ann"


def btfer(*words: str) -> Callable[[], None]:
    """The command line with these words, in a folder whose data folder is `data`."""
    return partial(_btfer, words)


def _btfer(words: tuple[str, ...]) -> None:
    from btfer.cli import main

    sys.argv = ["btfer", *words]
    main()


@contextmanager
def _told() -> Iterator[None]:
    """What the command line does with an error that is expected."""
    try:
        yield
    except BtferError as error:
        print(f"btfer: {error}")
        sys.exit(error.exit_code)


@_told()
def crawl(site: str) -> None:
    """A search for a picture or two of each class, on a running sample site."""
    from btfer.catalogue import open_catalogue
    from btfer.pipeline import crawl as stage
    from btfer.queries import Query, QueryPlan
    from btfer.settings import load_settings
    from btfer.sources.sample import sample

    settings = load_settings(host_delay_s=0)
    asked = [
        Query(f"{label} woman", label, "en", "White", "female", "adult", "v1")
        for label in EXPRESSIONS
    ]
    with closing(open_catalogue(settings.catalogue_url)) as cat:
        stage.run(cat, settings, [sample(site)], QueryPlan(asked, "v1", []), threads=4)


@_told()
def judge(round_: str) -> None:
    """A reviewer who is quick: page after page, all kept but for what their rule drops."""
    from btfer import review
    from btfer.catalogue import open_catalogue
    from btfer.catalogue.faces import newest_settings
    from btfer.settings import load_settings

    with closing(open_catalogue(load_settings().catalogue_url)) as cat:
        digest = newest_settings(cat) if round_ == "faces" else ""
        queue = review.Queue(cat, round_, REVIEWER, digest)
        while items := queue.page(4).items:
            review.commit(cat, round_, [_judged(one) for one in items], REVIEWER, page=items[0].id)
        review.end_leases(cat, round_, REVIEWER)


def _judged(item: "Item") -> "Judged":
    from btfer.review import Judged

    if item.id.startswith(("0", "1")):
        return Judged(item.id, "drop", "text", note="letters over it")
    return Judged(item.id)


def put_photos(folder: Path) -> None:
    """PER_CLASS pictures of each class, copies of one of them, and one that is cut off; with a table of labels."""
    pictures = folder / PHOTOS
    pictures.mkdir(parents=True)
    singles = [one for one in load_manifest() if one.kind == "single"]
    chosen = [
        one
        for label in EXPRESSIONS
        for one in [s for s in singles if s.expression == label][:PER_CLASS]
    ]
    for one in chosen:
        shutil.copy(picture_path(one.file), pictures)
    shutil.copy(picture_path(chosen[0].file), pictures / "again.jpg")
    with Image.open(picture_path(chosen[2].file)) as image:
        image.save(pictures / "smaller.jpg", quality=60)
    whole = picture_path(chosen[1].file).read_bytes()
    (pictures / "cut off.jpg").write_bytes(whole[: len(whole) // 2])
    put_training_sets(folder, [picture_path(one.file) for one in chosen])
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "label", "licence", "author"])
        rows.writerows([one.file, one.expression, "CC BY 4.0", "A Painter"] for one in chosen)


def put_training_sets(folder: Path, photos: Sequence[Path]) -> None:
    """Faces of other people; and a set that holds two of the photos, one of them smaller."""
    for name, data in read_pack().items():
        label, _, file = name.partition("/")
        if file and int(file.partition(".")[0]) < LEARNT_PER_CLASS:
            write_atomic(folder / FACES / label / file, data)
    for label in EXPRESSIONS:
        (folder / KNOWN / label).mkdir(parents=True)
    shutil.copy(photos[0], folder / KNOWN / EXPRESSIONS[0])
    with Image.open(photos[-1]) as image:
        image.resize((400, 400)).save(folder / KNOWN / EXPRESSIONS[1] / "resized.jpg")


FORMATS = "folder,parquet,webdataset,tfrecord"
BUILD = btfer(
    *("build", "--per-class", "1", "--unreviewed", "keep", "--max-per-site", "0"),
    *("--format", FORMATS, "--with-sources", "--allow-short"),
)
IMPORT = btfer("import", PHOTOS, "--labels", "labels.csv")
BENCH = btfer(
    *("bench", "--train", f"tiny={FACES}", "--model", "small_3conv"),
    *("--protocol", "short", "--epochs", "2"),
)


def make_keys() -> None:
    """The catalogue's own keys, which are drawn: others would give a release other names."""
    from btfer.catalogue import open_catalogue, secret_keys, withdrawals
    from btfer.settings import load_settings

    with closing(open_catalogue(load_settings().catalogue_url)) as cat:
        secret_keys.secret_key(cat, secret_keys.RELEASES)
        withdrawals.add(cat, ["https://nobody.example/1.jpg"], "")


def make_other_keys() -> None:
    """The same of the data folder in which the release is rebuilt."""
    os.environ["BTFER_DATA_DIR"] = "anew"
    make_keys()


def hear_others() -> None:
    """Verdicts of a reviewer who worked on a copy of this catalogue; it has none of them."""
    shutil.copytree("data", "theirs")
    os.environ["BTFER_DATA_DIR"] = "theirs"
    judge("faces")
    try:
        btfer("review", "export", "theirs.csv")()
    finally:
        shutil.rmtree("theirs")


def older(revision: str) -> None:
    """A catalogue of an earlier version."""
    from tests.catalogue.full_catalogue import fill

    fill("sqlite:///data/catalogue.db", revision=revision)


Stage = tuple[str, tuple[Callable[..., object], ...]]
STAGES: dict[str, Stage] = {
    "empty": ("", ()),
    "with keys": ("empty", (make_keys,)),
    "imported": ("with keys", (IMPORT,)),
    "compared": ("imported", (btfer("dedup"),)),
    "judged": ("compared", (partial(judge, "photos"),)),
    "cropped": ("judged", (btfer("crop"),)),
    "chosen": ("cropped", (partial(judge, "faces"),)),
    "released": ("chosen", (BUILD,)),
    "trained": ("released", (BENCH,)),
    "crawled": ("with keys", (crawl,)),
    "addresses": ("crawled", (BUILD,)),
    "to be rebuilt": ("addresses", (make_other_keys,)),
    "with their verdicts": ("cropped", (hear_others,)),
    "older": ("empty", (partial(older, "0009"),)),
}


class House:
    """Work folders by stage, each made of the one before, when it is first asked for."""

    def __init__(self, root: Path, zygote: Zygote, site: str) -> None:
        self.root, self.zygote, self.site = root, zygote, site

    def stage(self, name: str) -> Path:
        """The folder as it is after a stage; to be copied, never changed."""
        folder = self.root / name
        if not folder.is_dir():
            before, works = STAGES[name]
            if before:
                shutil.copytree(self.stage(before), folder)
            else:
                put_photos(folder)
            for work in works:
                done = self.zygote.run(Job(self.here(work), folder, self.root / f"{name}.out"))
                assert done.code == 0, (self.root / f"{name}.out").read_text()
        return folder

    def here(self, work: Callable[..., object]) -> Callable[[], object]:
        """The work, with the address of this house's site where it needs one."""
        return partial(work, self.site) if work is crawl else work
