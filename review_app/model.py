"""The page *Model*: what a trained network sees on a picture, and the released faces that look most alike to it.

The picture stays in the memory of this session and is written nowhere.
"""

from pathlib import Path

import streamlit as st

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.predict.drawing import draw
from btfer.bench.predict.predictor import PredictedFace, Predictor, SimilarFace, crop_of, nearest
from btfer.bench.runs.store import RunStore, TrainedRun
from btfer.errors import BtferError, ImageError
from btfer.expressions import EXPRESSIONS
from btfer.images import decode_rgb
from btfer.paths import releases_dir
from btfer.settings import Settings, load_settings
from review_app import image_uris

TYPES = ["jpg", "jpeg", "png", "webp", "avif"]
PER_CLASS = 3
NEAR_PX, DRAWN_PX = 96, 1200
FIGURE = "display:inline-block;margin:0 .3rem .3rem 0"


def page() -> None:
    """Draw it."""
    st.subheader("Model")
    try:
        settings = load_settings()
        runs = RunStore(settings.data_dir / "runs").with_network()
    except BtferError as error:
        st.error(str(error))
        return
    if not runs:
        st.info(f"No trained network in `{settings.data_dir / 'runs'}` yet: run `btfer bench`.")
        return
    run = st.selectbox("Network", runs, format_func=lambda one: one.name, key="look_run")
    sent = st.file_uploader("Picture", TYPES, key="look_picture", max_upload_size=20)
    st.caption("The picture is looked at in memory and stored nowhere.")
    if sent is None:
        return
    try:
        _look(settings, run, sent.getvalue())
    except ImageError as error:
        st.error(f"This picture cannot be used: {error}")
    except BtferError as error:
        st.error(str(error))


def _look(settings: Settings, run: TrainedRun, data: bytes) -> None:
    release = _release(settings, run)
    with st.spinner("Looking …"):
        predictor = _eye(run.folder, (run.folder / "model.keras").stat().st_mtime_ns)
        pixels = decode_rgb(data)
        seen = predictor.predict(pixels, crop_of(settings, release))
    drawn = image_uris.reduced(draw(pixels, seen), DRAWN_PX)
    st.html(f'<img alt="What the network sees" style="max-width:100%" src="{drawn}">')
    if not seen:
        st.warning("No face was found that would be taken from this picture.")
        return
    st.caption("A face shows an expression, not what somebody feels.")
    if release is None:
        st.info("The release of this run is not in the data folder: nothing to compare with.")
        return
    images = _images(release, (release / "metadata.csv").stat().st_mtime_ns)
    index = predictor.index(images, settings.data_dir / "runs" / "_cache")
    for number, one in enumerate(seen, start=1):
        _alike(number, one, nearest(one.features, index, images, PER_CLASS), images)


def _alike(
    number: int, one: PredictedFace, near: dict[str, list[SimilarFace]], images: ImageSet
) -> None:
    st.markdown(f"**Face {number}: {one.expression}.** The released faces nearest to it, by class:")
    for label, p, column in zip(
        EXPRESSIONS, one.probabilities, st.columns(len(EXPRESSIONS)), strict=True
    ):
        column.caption(f"{label} {p:.2f}")
        column.html("".join(_face(images.root / found.file, found) for found in near[label]))


def _face(path: Path, found: SimilarFace) -> str:
    try:
        uri = image_uris.reduced(decode_rgb(path.read_bytes()), NEAR_PX)
    except (OSError, ImageError):
        return ""
    told = f"{found.label}, likeness {found.likeness:.2f}"
    image = f'<img alt="{told}" src="{uri}">'
    return f'<figure style="{FIGURE}">{image}<br>{found.likeness:.2f}</figure>'


def _release(settings: Settings, run: TrainedRun) -> Path | None:
    name = run.record.release_name
    folder = releases_dir(settings.data_dir) / name
    return folder if name and (folder / "metadata.csv").is_file() else None


@st.cache_resource(max_entries=2, show_spinner=False)
def _eye(folder: Path, made: int) -> Predictor:
    return Predictor(RunStore(folder.parent).trained(folder))


@st.cache_resource(max_entries=2, show_spinner=False)
def _images(release: Path, made: int) -> ImageSet:
    return load_release(release)
