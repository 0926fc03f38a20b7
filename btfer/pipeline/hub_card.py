"""What dataset hubs read at the head of a README: licence, task, features, and which files are the split `test`.

The keys are those of https://huggingface.co/docs/hub/datasets-cards and `datasets`' configurations (from 4.0 on, which
reads metadata files of any name). Labels are numbers in the order of `EXPRESSIONS`, whether a class has images or not.
"""

from collections.abc import Sequence

from btfer.expressions import EXPRESSIONS
from btfer.pipeline.release_facts import spdx_ids
from btfer.pipeline.release_metadata import (
    COLUMNS,
    FILE,
    NUMBERS,
    SPLIT,
    ImageMetadata,
    folder_of_classes,
)
from btfer.release_record import ONLY, ReleaseRecord

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))
_CC = ("by", "by-nc", "by-sa", "by-nc-sa")
HUB_LICENCES = frozenset(
    {"apache-2.0", "mit", "cc0-1.0", "cc-by-2.5", "gfdl"}
    | {f"cc-{one}-{version}" for one in _CC for version in ("2.0", "3.0", "4.0")}
) - {"cc-by-sa-2.0"}
"""Licences that the hub knows by their id and that images may have."""

TASK = """task_categories:
- image-classification
task_ids:
- multi-class-image-classification
source_datasets:
- original
"""

_DTYPES = {"Float": "float64", "Integer": "int64", "Text": "string"}


def front_matter(metadata: Sequence[ImageMetadata], record: ReleaseRecord) -> str:
    """The YAML between the lines of dashes."""
    size = next((word for most, word in SIZES if len(metadata) < most), "100K<n<1M")
    parts = [
        "pretty_name: Balanced facial-expression test set (BTFER protocol)\n",
        _licence(metadata),
        TASK,
        f"size_categories:\n- {size}\n",
        f"tags:\n- facial-expression-recognition\n- btfer\n- croissant\n- redistribution-{record.redistribution}\n",
    ]
    if record.sources != ONLY:
        parts.append(_config(metadata))
    return "".join(parts)


def packed_card(form: str, ending: str) -> str:
    """The README of a folder of packed images: it tells loaders that all parts are the split `test`."""
    return (
        f"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: '*.{ending}'\n---\n"
        f"The images of the release in the folder above, packed as {form}. All are for testing.\n"
    )


def _licence(metadata: Sequence[ImageMetadata]) -> str:
    """The one licence of all images where the hub knows it; else each has its own."""
    found = [one.lower() for one in spdx_ids(metadata)]
    if len(found) == 1 and found[0] in HUB_LICENCES:
        return f"license: {found[0]}\n"
    return "license: other\nlicense_name: per-image\nlicense_link: LICENSE.md\n"


def _config(metadata: Sequence[ImageMetadata]) -> str:
    """All columns of faces.jsonl, as `file_name` becomes the image."""
    names = "".join(f"          '{number}': {name}\n" for number, name in enumerate(EXPRESSIONS))
    features = f"  - name: label\n    dtype:\n      class_label:\n        names:\n{names}"
    for name in (*COLUMNS, FILE):
        if name not in ("file_name", "label"):
            features += f"  - name: {name}\n    dtype: {_DTYPES[NUMBERS.get(name, 'Text')]}\n"
    images = folder_of_classes(metadata[0].file_name)
    return (
        "configs:\n- config_name: default\n  default: true\n"
        f"  data_files:\n  - split: {SPLIT}\n    path:\n    - faces.jsonl\n    - {images}/**\n"
        "  metadata_filenames:\n  - faces.jsonl\n"
        f"  features:\n  - name: image\n    dtype: image\n{features}"
    )
