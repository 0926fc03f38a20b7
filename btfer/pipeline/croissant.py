"""The release as Croissant metadata: what machines that know ML Commons' format need to read it.

Format: https://docs.mlcommons.org/croissant/docs/croissant-spec.html (1.0), with the fields on responsible
use (RAI) of https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html, filled from what was counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from btfer.pipeline.release_facts import ReleaseFacts, facts_of, licence_addresses, unjudged
from btfer.pipeline.release_metadata import COLUMNS, NUMBERS, ImageMetadata, folder_of_classes
from btfer.release_record import ONLY, ReleaseRecord

Json = dict[str, Any]

DOI = "https://doi.org/10.1016/j.engappai.2024.108983"
CITE = (
    "Benchmarking deep Facial Expression Recognition: An extensive protocol with balanced dataset in "
    f"the wild. Engineering Applications of Artificial Intelligence 136 (2024), {DOI}"
)
BIBTEX = (
    "@article{ipinze2024benchmarking, "
    "title={Benchmarking deep Facial Expression Recognition: An extensive protocol with balanced dataset in the wild}, "
    'author={Ipinze Tutuianu, Gianmarco and Liu, Yang and Alam{\\"a}ki, Ari and Kauttonen, Janne}, '
    "journal={Engineering Applications of Artificial Intelligence}, volume={136}, pages={108983}, year={2024}, "
    "doi={10.1016/j.engappai.2024.108983}}"
)
OUT_OF_BOUNDS = (
    "Not for identifying anyone, not for inferring emotions of people at work or in education "
    "(Regulation (EU) 2024/1689, Article 5(1)(f)), not for deciding anything about a person, and not "
    "for training what is then tested on it."
)
NOBODY = "The makers of this release (no contact address was set)"
_IMAGES = {
    "@type": "cr:FileSet",
    "@id": "images",
    "name": "images",
    "description": "One PNG of 256x256 pixels for each face, in a folder for each class.",
    "encodingFormat": "image/png",
}
_CR, _RAI = "http://mlcommons.org/croissant/", "http://mlcommons.org/croissant/RAI/"
_TERMS = (
    "citeAs column extract field fileProperty fileObject fileSet format includes "
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
"""That of the specification, with the terms on responsible use."""


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
        "license": licence_addresses(metadata),
        "conditionsOfAccess": f"Redistribution: {record.redistribution}",
        "url": record.contact if record.contact.startswith("https://") else DOI,
        "creator": _creator(record.contact),
        **({"datePublished": record.date} if record.date else {}),
        "keywords": [
            "facial expression recognition",
            "image classification",
            "test set",
            "class-balanced",
        ],
        "inLanguage": "en",
        "citeAs": BIBTEX,
        "version": record.version,
        "isLiveDataset": False,
        "distribution": [_metadata(metadata_sha256), *([_images(metadata)] if has_images else [])],
        "recordSet": [
            _labels(record.counts),
            _SPLITS,
            _faces(has_images),
        ],
        **_responsible(metadata, record),
    }


def _description(metadata: Sequence[ImageMetadata], counts: Mapping[str, int]) -> str:
    each = ", ".join(f"{label} {n}" for label, n in counts.items())
    classes = sum(n > 0 for n in counts.values())
    return (
        f"{len(metadata)} facial-expression crops of 256x256 pixels in {classes} classes ({each}), for testing "
        f"networks. {OUT_OF_BOUNDS}"
    )


def _creator(contact: str) -> Json:
    creator = {"@type": "sc:Organization", "name": contact or NOBODY}
    if contact.startswith("https://"):
        creator["url"] = contact
    elif "@" in contact:
        creator["email"] = contact
    return creator


def _metadata(sha256: str) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": "metadata.csv",
        "name": "metadata.csv",
        "description": "One row for each face.",
        "contentUrl": "metadata.csv",
        "encodingFormat": "text/csv",
        "sha256": sha256,
    }


def _images(metadata: Sequence[ImageMetadata]) -> Json:
    return _IMAGES | {"includes": f"{folder_of_classes(metadata[0].file_name)}/*/*.png"}


def _labels(counts: Mapping[str, int]) -> Json:
    """The classes, in the order of their numbers in the packed forms."""
    return {
        "@type": "cr:RecordSet",
        "@id": "expressions",
        "name": "expressions",
        "description": "The classes.",
        "dataType": "sc:Enumeration",
        "key": {"@id": "expressions/name"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": "expressions/name",
                "name": "name",
                "description": "The name of a class.",
                "dataType": "sc:Text",
            }
        ],
        "data": [{"expressions/name": label} for label in counts],
    }


_SPLITS = {
    "@type": "cr:RecordSet",
    "@id": "splits",
    "name": "splits",
    "description": "All images are for testing.",
    "dataType": "cr:Split",
    "key": {"@id": "splits/name"},
    "field": [
        {
            "@type": "cr:Field",
            "@id": "splits/name",
            "name": "name",
            "description": "The name of the split.",
            "dataType": "sc:Text",
        },
        {
            "@type": "cr:Field",
            "@id": "splits/url",
            "name": "url",
            "description": "What the split is for.",
            "dataType": "sc:URL",
        },
    ],
    "data": [{"splits/name": "test", "splits/url": "cr:TestSplit"}],
}


_SPLIT = {
    "@type": "cr:Field",
    "@id": "faces/split",
    "name": "split",
    "description": "The same for all.",
    "dataType": "sc:Text",
    "references": {"field": {"@id": "splits/name"}},
    "value": "test",
}


def _faces(has_images: bool) -> Json:
    """A record for each face: its image, its label, and what else is stated about it."""
    return {
        "@type": "cr:RecordSet",
        "@id": "faces",
        "name": "faces",
        "description": "The faces, each with its image and its label."
        if has_images
        else "The faces, each with its label.",
        "key": {"@id": "faces/file_name"},
        "field": [
            *([_image()] if has_images else []),
            *(_column(one, has_images) for one in COLUMNS),
            _SPLIT,
        ],
    }


def _image() -> Json:
    return {
        "@type": "cr:Field",
        "@id": "faces/image",
        "name": "image",
        "description": "The face, 256x256 pixels in sRGB.",
        "dataType": "sc:ImageObject",
        "source": {"fileSet": {"@id": "images"}, "extract": {"fileProperty": "content"}},
    }


def _column(name: str, has_images: bool) -> Json:
    field: Json = {
        "@type": "cr:Field",
        "@id": f"faces/{name}",
        "name": name,
        "description": f"The column {name} of metadata.csv.",
        "dataType": f"sc:{NUMBERS.get(name, 'Text')}",
        "source": {"fileObject": {"@id": "metadata.csv"}, "extract": {"column": name}},
    }
    if name == "label":
        field["references"] = {"field": {"@id": "expressions/name"}}
    if name == "file_name" and has_images:  # what joins the images and the rows
        field["references"] = field["source"]
        field["source"] = {
            "fileSet": {"@id": "images"},
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": "(.*)"},  # as text: mlcroissant has a path, which equals none
        }
    return field


def _responsible(metadata: Sequence[ImageMetadata], record: ReleaseRecord) -> Json:
    """The RAI fields: each says what was counted, not what was hoped for."""
    facts = facts_of(metadata)
    gone = "; ".join(f"{line.stage} {line.what}: {line.total}" for line in record.funnel)
    return {
        "rai:dataCollection": facts.how_found,
        "rai:dataCollectionType": _collection_types(facts),
        "rai:dataPreprocessingProtocol": [
            f"Made with btfer {record.btfer}.",
            "Near-duplicates removed by perceptual hash and a comparison of the pictures.",
            f"Faces found by MTCNN and cropped in mode '{record.settings.crop.name}'.",
        ],
        "rai:dataAnnotationProtocol": f"{facts.how_labelled} {unjudged(record, facts)}",
        **_annotations(metadata, record, facts),
        "rai:machineAnnotationTools": ["MTCNN (face boxes)"],
        "rai:dataSocialImpact": _social_impact(facts),
        "rai:dataLimitations": _limitations(facts),
        "rai:dataBiases": _biases(metadata, facts),
        "rai:dataUseCases": "Ranking networks for facial-expression recognition.",
        "rai:personalSensitiveInformation": _personal(facts),
        "rai:dataReleaseMaintenancePlan": "A person shown may ask for removal (optout.html); the next version "
        "then has another face in that place, and tombstones.csv names what has gone.",
        "rai:dataCollectionMissingData": f"What became of the rest: {gone}.",
    }


def _collection_types(facts: ReleaseFacts) -> list[str]:
    kinds = [
        *(["Web Scraping"] if facts.searched else []),
        *(["Others"] if facts.imported or facts.synthetic else []),
        *(["Manual Human Curator"] if facts.judged else []),
    ]
    return kinds or ["Others"]


def _annotations(
    metadata: Sequence[ImageMetadata], record: ReleaseRecord, facts: ReleaseFacts
) -> Json:
    if not facts.judged:
        return {"rai:dataAnnotationAnalysis": "No picture was judged by anybody."}
    votes = Counter(str(sum(one.votes.values())) for one in metadata)
    agreed = [f"{line.round}: {line.statistic} {line.value}" for line in record.agreement]
    return {
        "rai:annotationsPerItem": f"Images by number of people who judged the crop: {_counted(votes)}.",
        "rai:dataAnnotationAnalysis": f"Agreement where two or more judged: {'; '.join(agreed)}."
        if agreed
        else "No picture was judged by two people.",
    }


def _social_impact(facts: ReleaseFacts) -> str:
    if facts.synthetic == facts.n:
        return f"The faces were rendered and show nobody. {OUT_OF_BOUNDS}"
    asked = (
        "Faces of people who were not asked"
        if facts.searched
        else "Faces of people; whether they agreed is not recorded"
    )
    return f"{asked}: see the licences and personalSensitiveInformation. {OUT_OF_BOUNDS}"


def _personal(facts: ReleaseFacts) -> str:
    if facts.synthetic == facts.n:
        return f"None: the faces were rendered. {OUT_OF_BOUNDS}"
    return f"Photographs of people's faces. {OUT_OF_BOUNDS}"


def _limitations(facts: ReleaseFacts) -> str:
    labels = (
        "Labels are judgements of what a face shows, not of what somebody feels."
        if facts.judged
        else "Labels were not checked by anybody; they are no statement of what somebody feels."
    )
    return f"{labels} {facts.whose_groups}"


def _biases(metadata: Sequence[ImageMetadata], facts: ReleaseFacts) -> str:
    if not facts.grouped:
        return "Not measured: nothing is stated about the people shown."
    groups = Counter(
        " ".join(name or "-" for name in (one.ethnicity, one.gender, one.age)) for one in metadata
    )
    languages = Counter(one.language or "none" for one in metadata)
    phrases = f" By language of the phrase: {_counted(languages)}." if facts.searched else ""
    return f"Images by group (ethnicity gender age): {_counted(groups)}.{phrases}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
