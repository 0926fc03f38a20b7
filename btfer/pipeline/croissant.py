"""The release as Croissant metadata: what machines that know ML Commons' format need to read it.

Format: https://docs.mlcommons.org/croissant/docs/croissant-spec.html (1.0), with the fields on responsible
use (RAI) of https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html, filled from what was counted.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from btfer.catalogue.store import Row
from btfer.pipeline.release_metadata import NUMBERS

CITE = (
    "Benchmarking deep Facial Expression Recognition: An extensive protocol with balanced dataset in "
    "the wild. Engineering Applications of Artificial Intelligence 136 (2024), "
    "https://doi.org/10.1016/j.engappai.2024.108983"
)
OUT_OF_BOUNDS = (
    "Not for identifying anyone, not for inferring emotions of people at work or in education "
    "(Regulation (EU) 2024/1689, Article 5(1)(f)), not for deciding anything about a person, and not "
    "for training what is then tested on it."
)
_IMAGES = {
    "@type": "cr:FileSet",
    "@id": "images",
    "name": "images",
    "encodingFormat": "image/png",
    "includes": "images/*/*.png",
}
_CR, _RAI = "http://mlcommons.org/croissant/", "http://mlcommons.org/croissant/RAI/"
_TERMS = (
    "citeAs column conformsTo extract field fileProperty fileObject fileSet format includes "
    "isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace "
    "samplingRate separator source subField transform equivalentProperty"
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": _CR,
    "rai": _RAI,
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
}


def croissant(
    name: str, metadata: Sequence[Row], facts: dict[str, Any], metadata_sha256: str, made_with: str
) -> dict[str, Any]:
    """The content of `croissant.json`. metadata: the rows of metadata.csv; facts: the content of release.json."""
    has_images = facts["sources"] != "only"
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": _description(metadata, facts),
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "license": _licences(metadata),
        "citeAs": CITE,
        "version": f"{facts['version']}.0.0",
        "isLiveDataset": False,
        "distribution": [_metadata(metadata_sha256), *([_IMAGES] if has_images else [])],
        "recordSet": [
            _labels(facts),
            *([_images()] if has_images else []),
            _faces(metadata, has_images),
        ],
        **_responsible(metadata, facts, made_with),
    }


def _description(metadata: Sequence[Row], facts: dict[str, Any]) -> str:
    each = ", ".join(f"{label} {n}" for label, n in facts["counts"].items())
    return (
        f"{len(metadata)} facial-expression crops of 256x256 pixels in seven classes ({each}), for testing "
        f"networks. {OUT_OF_BOUNDS}"
    )


def _licences(metadata: Sequence[Row]) -> list[str]:
    return [
        f"{licence} ({n} images)"
        for licence, n in sorted(Counter(row["licence"] for row in metadata).items())
    ]


def _metadata(sha256: str) -> Row:
    return {
        "@type": "cr:FileObject",
        "@id": "metadata.csv",
        "name": "metadata.csv",
        "contentUrl": "metadata.csv",
        "encodingFormat": "text/csv",
        "sha256": sha256,
    }


def _labels(facts: dict[str, Any]) -> Row:
    return {
        "@type": "cr:RecordSet",
        "@id": "expressions",
        "name": "expressions",
        "dataType": "sc:Enumeration",
        "key": {"@id": "expressions/name"},
        "field": [{"@type": "cr:Field", "@id": "expressions/name", "dataType": "sc:Text"}],
        "data": [{"expressions/name": label} for label in facts["counts"]],
    }


def _images() -> Row:
    """What lies in the folders, by path: the faces' rows refer to it."""
    of = {"path": ("sc:Text", "fullpath"), "content": ("sc:ImageObject", "content")}
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"pictures/{name}",
            "name": name,
            "dataType": kind,
            "source": {"fileSet": {"@id": "images"}, "extract": {"fileProperty": what}},
        }
        for name, (kind, what) in of.items()
    ]
    key = {"@id": "pictures/path"}
    return {
        "@type": "cr:RecordSet",
        "@id": "pictures",
        "name": "pictures",
        "key": key,
        "field": fields,
    }


def _faces(metadata: Sequence[Row], has_images: bool) -> Row:
    return {
        "@type": "cr:RecordSet",
        "@id": "faces",
        "name": "faces",
        "key": {"@id": "faces/file_name"},
        "field": [_column(name, has_images) for name in (metadata[0] if metadata else {})],
    }


def _column(name: str, has_images: bool) -> Row:
    field: Row = {
        "@type": "cr:Field",
        "@id": f"faces/{name}",
        "name": name,
        "dataType": f"sc:{NUMBERS.get(name, 'Text')}",
        "source": {"fileObject": {"@id": "metadata.csv"}, "extract": {"column": name}},
    }
    if name == "label":
        field["references"] = {"field": {"@id": "expressions/name"}}
    if name == "file_name" and has_images:
        field["references"] = {"field": {"@id": "pictures/path"}}
    return field


def _responsible(metadata: Sequence[Row], facts: dict[str, Any], made_with: str) -> Row:
    """The RAI fields: each says what was counted, not what was hoped for."""
    reviewed = sum(row["reviewed"] == "yes" for row in metadata)
    sources = Counter(row["source"] for row in metadata)
    languages = Counter(row["language"] or "none" for row in metadata)
    groups = Counter(
        " ".join(row[k] or "-" for k in ("ethnicity", "gender", "age")) for row in metadata
    )
    gone = "; ".join(f"{one['stage']} {one['what']}: {one['total']}" for one in facts["funnel"])
    votes = Counter(_votes(row) for row in metadata)
    agreed = [f"{one['round']}: {one['statistic']} {one['value']}" for one in facts["agreement"]]
    return {
        "rai:dataCollection": f"Found by search phrases at {_counted(sources)} (images by source).",
        "rai:dataCollectionType": ["Web Scraping", "Manual Human Curation"],
        "rai:dataPreprocessingProtocol": [
            f"Made with btfer {made_with}.",
            "Near-duplicates removed by perceptual hash and a comparison of the pictures.",
            f"Faces found by MTCNN and cropped in mode '{facts['settings']['crop']['name']}'.",
        ],
        "rai:dataAnnotationProtocol": "Judged by people in two rounds: photos, then crops. "
        f"{reviewed} of {len(metadata)} labels were confirmed or given by a person.",
        "rai:annotationsPerItem": f"Images by number of people who judged the crop: {_counted(votes)}.",
        "rai:dataAnnotationAnalysis": f"Agreement where two or more judged: {'; '.join(agreed)}."
        if agreed
        else "No picture was judged by two people.",
        "rai:machineAnnotationTools": ["MTCNN (face boxes)"],
        "rai:dataSocialImpact": "Faces of people who were not asked: see the licences and "
        "personalSensitiveInformation. " + OUT_OF_BOUNDS,
        "rai:dataLimitations": "Labels are judgements of what a face shows, not of what somebody "
        "feels. Groups are what a search phrase asked for, no fact about anybody.",
        "rai:dataBiases": f"Images by group asked for (ethnicity gender age): {_counted(groups)}. "
        f"By language of the phrase: {_counted(languages)}.",
        "rai:dataUseCases": "Ranking networks for facial-expression recognition.",
        "rai:personalSensitiveInformation": "Photographs of people's faces. " + OUT_OF_BOUNDS,
        "rai:dataReleaseMaintenancePlan": "A person shown may ask for removal; the next version then "
        "has another face in that place.",
        "rai:dataCollectionMissingData": f"What became of the rest: {gone}.",
    }


def _votes(row: Row) -> str:
    """How many people judged a crop, as a word of a count."""
    return str(sum(int(one.rpartition(":")[2]) for one in str(row["votes"]).split()))


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
