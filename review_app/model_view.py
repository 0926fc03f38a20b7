"""The page *Model* where the benchmark is installed: what a network predicts, and the nearest released faces.

The picture stays in the memory of this session and is never written to a file.
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
from btfer.store import store_of
from btfer.store.mirror import pull
from review_app import image_uris

TYPES = ["jpg", "jpeg", "png", "webp", "avif"]
PER_CLASS = 3
NEAR_PX, DRAWN_PX = 96, 1200
FIGURE = "display:inline-block;margin:0 .3rem .3rem 0"


def draw_page() -> None:
    """Draw what is below the heading."""
    try:
        settings = load_settings()
        runs = RunStore(settings.data_dir / "runs").with_network()
    except BtferError as error:
        st.error(str(error))
        return
    if not runs:
        st.info(
            f"There is no trained network in `{settings.data_dir / 'runs'}` yet. When both rounds are judged, "
            "`btfer build` makes a release; then `btfer bench` trains networks and ranks them on it."
        )
        return
    run = st.selectbox("Network", runs, format_func=lambda one: one.name, key="model_run")
    sent = st.file_uploader("Picture", TYPES, key="model_picture", max_upload_size=20)
    st.caption("The picture stays in memory and is not stored.")
    if sent is None:
        return
    try:
        _predict(settings, run, sent.getvalue())
    except ImageError as error:
        st.error(f"This picture cannot be used: {error}")
    except BtferError as error:
        st.error(str(error))


def _predict(settings: Settings, run: TrainedRun, data: bytes) -> None:
    release = _release(settings, run)
    with st.spinner("Predicting …"):
        predictor = _predictor(run.folder, (run.folder / "model.keras").stat().st_mtime_ns)
        pixels = decode_rgb(data)
        faces = predictor.predict(pixels, crop_of(settings, release))
    drawn = image_uris.reduced(draw(pixels, faces), DRAWN_PX)
    st.html(f'<img alt="What the network sees" style="max-width:100%" src="{drawn}">')
    if not faces:
        st.warning("No usable face was found in this picture.")
        return
    st.caption("An expression is what a face shows, not what a person feels.")
    if release is None:
        st.info(
            "The release of this run is not in the data folder, so there are no faces to compare with."
        )
        return
    images = _images(release, (release / "metadata.csv").stat().st_mtime_ns)
    index = predictor.index(images, settings.data_dir / "runs" / "_cache")
    for number, one in enumerate(faces, start=1):
        _nearest(number, one, nearest(one.features, index, images, PER_CLASS), images)


def _nearest(
    number: int, one: PredictedFace, near: dict[str, list[SimilarFace]], images: ImageSet
) -> None:
    st.markdown(f"**Face {number}: {one.expression}.** The nearest released faces of each class:")
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
    caption = f"{found.label}, similarity {found.likeness:.2f}"
    image = f'<img alt="{caption}" src="{uri}">'
    return f'<figure style="{FIGURE}">{image}<br>{found.likeness:.2f}</figure>'


def _release(settings: Settings, run: TrainedRun) -> Path | None:
    pull(store_of(settings), "releases")
    name = run.record.release_name
    folder = releases_dir(settings.data_dir) / name
    return folder if name and (folder / "metadata.csv").is_file() else None


@st.cache_resource(max_entries=2, show_spinner=False)
def _predictor(folder: Path, made: int) -> Predictor:
    return Predictor(RunStore(folder.parent).trained(folder))


@st.cache_resource(max_entries=2, show_spinner=False)
def _images(release: Path, made: int) -> ImageSet:
    return load_release(release)
