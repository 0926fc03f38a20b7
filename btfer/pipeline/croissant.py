"""The release as Croissant metadata: what machines that know ML Commons' format need to read it.

Format: https://docs.mlcommons.org/croissant/docs/croissant-spec.html (1.0), with the fields on responsible
use (RAI) of https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html, filled from what was counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from btfer.pipeline.release_metadata import COLUMNS, NUMBERS, ImageMetadata
from btfer.release_record import ONLY, ReleaseRecord

Json = dict[str, Any]

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
    name: str, metadata: Sequence[ImageMetadata], record: ReleaseRecord, metadata_sha256: str
) -> Json:
    """The content of `croissant.json`. metadata_sha256: of metadata.csv."""
    has_images = record.sources != ONLY
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": _description(metadata, record.counts),
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "license": _licences(metadata),
        "citeAs": CITE,
        "version": f"{record.version}.0.0",
        "isLiveDataset": False,
        "distribution": [_metadata(metadata_sha256), *([_IMAGES] if has_images else [])],
        "recordSet": [
            _labels(record.counts),
            *([_images()] if has_images else []),
            _faces(has_images),
        ],
        **_responsible(metadata, record),
    }


def _description(metadata: Sequence[ImageMetadata], counts: Mapping[str, int]) -> str:
    each = ", ".join(f"{label} {n}" for label, n in counts.items())
    return (
        f"{len(metadata)} facial-expression crops of 256x256 pixels in seven classes ({each}), for testing "
        f"networks. {OUT_OF_BOUNDS}"
    )


def _licences(metadata: Sequence[ImageMetadata]) -> list[str]:
    return [
        f"{licence} ({n} images)"
        for licence, n in sorted(Counter(one.licence for one in metadata).items())
    ]


def _metadata(sha256: str) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": "metadata.csv",
        "name": "metadata.csv",
        "contentUrl": "metadata.csv",
        "encodingFormat": "text/csv",
        "sha256": sha256,
    }


def _labels(counts: Mapping[str, int]) -> Json:
    return {
        "@type": "cr:RecordSet",
        "@id": "expressions",
        "name": "expressions",
        "dataType": "sc:Enumeration",
        "key": {"@id": "expressions/name"},
        "field": [{"@type": "cr:Field", "@id": "expressions/name", "dataType": "sc:Text"}],
        "data": [{"expressions/name": label} for label in counts],
    }


def _images() -> Json:
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


def _faces(has_images: bool) -> Json:
    return {
        "@type": "cr:RecordSet",
        "@id": "faces",
        "name": "faces",
        "key": {"@id": "faces/file_name"},
        "field": [_column(name, has_images) for name in COLUMNS],
    }


def _column(name: str, has_images: bool) -> Json:
    field: Json = {
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


def _responsible(metadata: Sequence[ImageMetadata], record: ReleaseRecord) -> Json:
    """The RAI fields: each says what was counted, not what was hoped for."""
    reviewed = sum(one.reviewed for one in metadata)
    sources = Counter(one.source for one in metadata)
    languages = Counter(one.language or "none" for one in metadata)
    groups = Counter(
        " ".join(name or "-" for name in (one.ethnicity, one.gender, one.age)) for one in metadata
    )
    gone = "; ".join(f"{line.stage} {line.what}: {line.total}" for line in record.funnel)
    votes = Counter(str(sum(one.votes.values())) for one in metadata)
    agreed = [f"{line.round}: {line.statistic} {line.value}" for line in record.agreement]
    return {
        "rai:dataCollection": f"Found by search phrases at {_counted(sources)} (images by source).",
        "rai:dataCollectionType": ["Web Scraping", "Manual Human Curation"],
        "rai:dataPreprocessingProtocol": [
            f"Made with btfer {record.btfer}.",
            "Near-duplicates removed by perceptual hash and a comparison of the pictures.",
            f"Faces found by MTCNN and cropped in mode '{record.settings.crop.name}'.",
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


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
