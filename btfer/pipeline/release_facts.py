"""What the texts of a release may say of it: how its images came about, counted from what is stated about each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from btfer.licences import parse_licence
from btfer.pipeline.release_metadata import NOT_STATED, ImageMetadata
from btfer.release_record import ReleaseRecord

IMPORTED, SYNTHETIC = "folder", "sample"
"""The words of the column `source` for what was imported from a disk, and for the built-in sample."""

NOT_EVALUATED = "http://rightsstatements.org/vocab/CNE/1.0/"
"""'Copyright not evaluated': what is said of an image of which no licence with an address is known."""


@dataclass(frozen=True)
class ReleaseFacts:
    """Numbers of images. searched: found by search phrases. judged: labels that a person confirmed or gave.

    sources: images by the word of the column `source`. grouped: images with any word about the person shown.
    """

    n: int
    searched: int
    imported: int
    synthetic: int
    judged: int
    grouped: int
    sources: tuple[tuple[str, int], ...]

    @property
    def how_found(self) -> str:
        """One sentence for each way in which photos came here."""
        searches = [f"{name} {n}" for name, n in self.sources if name not in (IMPORTED, SYNTHETIC)]
        parts = [
            f"{self.searched} images were found by search phrases ({', '.join(searches)})."
            if self.searched
            else "",
            f"{self.imported} images were imported from folders of whoever made this release; "
            "nothing was searched for them."
            if self.imported
            else "",
            f"{self.synthetic} images were rendered; they show nobody." if self.synthetic else "",
        ]
        return " ".join(part for part in parts if part)

    @property
    def how_labelled(self) -> str:
        """Who says that a face shows what its label is."""
        if self.judged:
            return (
                f"{self.judged} of {self.n} labels were confirmed or given by a person, in two rounds: "
                "photos, then crops."
            )
        origin = " or ".join(
            word
            for word, n in (
                ("its search phrase", self.searched),
                ("the folder or list that it was imported from", self.imported),
                ("what it was rendered to show", self.synthetic),
            )
            if n
        )
        return f"Nobody judged these images: the label of each is that of {origin}."

    @property
    def whose_groups(self) -> str:
        """Where the words about the people shown come from."""
        if not self.grouped:
            return "Nothing is stated about the people shown."
        origin = " or ".join(
            word
            for word, n in (
                ("a search phrase asked for", self.searched or self.synthetic),
                ("the list of an import states", self.imported),
            )
            if n
        )
        return f"Groups are what {origin}, and no statement about the person shown."


def facts_of(metadata: Sequence[ImageMetadata]) -> ReleaseFacts:
    """Count them."""
    sources = Counter(one.source for one in metadata)
    imported, synthetic = sources[IMPORTED], sources[SYNTHETIC]
    return ReleaseFacts(
        n=len(metadata),
        searched=len(metadata) - imported - synthetic,
        imported=imported,
        synthetic=synthetic,
        judged=sum(one.reviewed for one in metadata),
        grouped=sum(bool(one.ethnicity or one.gender or one.age) for one in metadata),
        sources=tuple(sorted((name, n) for name, n in sources.items() if n)),
    )


def unjudged(record: ReleaseRecord, facts: ReleaseFacts) -> str:
    """What became of pictures that nobody judged."""
    if record.settings.unreviewed == "keep":
        return (
            f"Pictures that nobody judged were kept: {facts.n - facts.judged} of {facts.n} images."
        )
    if record.settings.unreviewed == "drop":
        return "Pictures that nobody judged were left out."
    return "Every picture was judged."


def licence_addresses(metadata: Sequence[ImageMetadata]) -> list[str]:
    """The addresses of all licences, each once, in alphabetic order."""
    return sorted({licence_address(one.licence) for one in metadata})


def licence_address(licence: str) -> str:
    """The canonical address of a licence, `NOT_EVALUATED` where there is none."""
    return parse_licence("" if licence == NOT_STATED else licence).url or NOT_EVALUATED


def spdx_ids(metadata: Sequence[ImageMetadata]) -> set[str]:
    """The SPDX ids of all licences, '' for one that has none."""
    names = {one.licence for one in metadata}
    return {parse_licence("" if name == NOT_STATED else name).spdx for name in names}
