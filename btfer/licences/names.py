"""Reads a licence's name. Every word of it has to be known: a free name in a sentence that says more is not free."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from btfer.licences.credit import (
    is_credit,
    is_place,
    names_software_licence,
    starts_credit,
    tokens,
)
from btfer.licences.licence import CC_VERSIONS, Licence, creative_commons, reserved, unknown
from btfer.licences.others import OTHERS, RIGHTS_NAMES, RIGHTS_STATEMENTS
from btfer.licences.strict import strictest
from btfer.licences.text import cased, is_version, parts, plain, words
from btfer.licences.vocabulary import (
    LICENCE_WORDS,
    LONGEST,
    RESERVED,
    SOME_RESERVED,
    VOCABULARY,
    Atom,
    spaced,
)
from btfer.licences.words import ATTRIBUTION, CODES, PORTS, RESERVED_ALONE

_LONGEST_STATEMENT = (
    200  # words; what is longer is no name, and only looked through for what it forbids
)
_FOUND_AT = {"via", "from", "on"}
_GLUED = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass
class _Named:
    """What has been read of one licence so far."""

    atoms: list[Atom] = field(default_factory=list)
    elements: frozenset[str] = frozenset()
    versions: list[str] = field(default_factory=list)
    port: str = ""
    other: str = ""
    later: bool = False

    def has(self, *kinds: str) -> bool:
        """Whether a word of one of some kinds has been read."""
        return any(atom.kind in kinds for atom in self.atoms)


def read_name(name: str) -> Licence | None:
    """The licence that a name (without markup) states; None where it names none and says nothing else either."""
    text = spaced(cased(name))
    everything = words(plain(text))
    divided = [part for part in parts(text) if words(part)]
    if statement := RIGHTS_STATEMENTS.get(RIGHTS_NAMES.get(" ".join(everything), "")):
        return statement
    if _is_reserved(text, everything, divided):
        return reserved(unknown(name).name)
    divided = _without_places(divided)
    everything = [word for part in divided for word in words(plain(part))]
    stated = _read(divided) if len(everything) <= _LONGEST_STATEMENT else None
    if stated is None:
        forbids = _forbids_derivatives(everything) or _adds_nd(everything, divided)
        return reserved("No derivatives", "nd") if forbids else unknown(name)
    return strictest(stated) if stated else None


def _read(divided: Sequence[str]) -> list[Licence] | None:
    """All licences that the parts of a statement name; None where one of them is not understood."""
    stated: list[Licence] = []
    bare: list[Licence] = []
    credited = False
    for part in divided:
        if names_software_licence(tokens(part)):
            return None
        atoms = _atoms(_with_codes(words(plain(part))))
        if atoms is None:
            atoms, credited = _before_a_credit(part), True
        if atoms is None:
            return None
        for named in _grouped(atoms):
            if (one := _licence(named)) is None:
                return None
            (bare if _is_bare(named) else stated).append(one)
    if bare and not stated and (credited or len(divided) > 1):
        return None  # `Photo, by`: two letters are a licence by themselves, or beside its full name
    return stated + bare


def _without_places(divided: Sequence[str]) -> list[str]:
    """The parts of a statement but for a place that stands right behind a credit: `Photo: Ann, Fargo ND`."""
    said = [tokens(part) for part in divided]
    behind = [False, *map(is_credit, said)]
    return [
        part
        for part, one, after in zip(divided, said, behind, strict=False)
        if not (after and is_place(one))
    ]


def _before_a_credit(part: str) -> list[Atom] | None:
    """The known words before a credit (`CC BY 4.0 Foto: Ann`); None where the part does not end with a credit.

    Where the photo was found may follow: `Photo by Ann via Flickr`.
    """
    said = tokens(part)
    for end in range(len(said) - 1, 0, -1):
        if plain(said[end]) in _FOUND_AT and _atoms(_folded(said[end:])) is not None:
            said = said[:end]
            break
    for at, token in enumerate(said):
        if starts_credit(token) and is_credit(said[at:]):
            return _atoms(_with_codes(_folded(said[:at])))
    return None


def _folded(said: Sequence[str]) -> list[str]:
    return words(plain(" ".join(said)))


def _with_codes(part: Sequence[str]) -> list[str]:
    """`CCBY` is CC BY."""
    found: list[str] = []
    for word in part:
        found += ["cc", word[2:]] if word.startswith("cc") and word[2:] in CODES else [word]
    return found


def _atoms(part: Sequence[str]) -> list[Atom] | None:
    """The known words of a part, the longest phrases first; None where one is not known."""
    found: list[Atom] = []
    at = 0
    while at < len(part):
        for end in range(min(len(part), at + LONGEST), at, -1):
            if atom := _atom(part[at:end], found):
                found.append(atom)
                at = end
                break
        else:
            return None
    return found


def _atom(span: Sequence[str], before: Sequence[Atom]) -> Atom | None:
    last = before[-1] if before else Atom("", "")
    key = "".join(span)
    if last.kind == "version" and key in PORTS:  # `de` and `no` are words elsewhere
        return Atom("port", key)
    if len(span) == 1 and is_version(key):
        return Atom("version", key)
    if key in ("orlater", "only") and last.kind == "version":
        return Atom("later" if key == "orlater" else "plain", key)
    return VOCABULARY.get(key)


def _grouped(atoms: Sequence[Atom]) -> Iterator[_Named]:
    """The licences that are named one after the other; words that name none make none."""
    named = _Named()
    for atom in atoms:
        if _starts_another(named, atom):
            yield named
            named = _Named()
        named.atoms.append(atom)
        named.elements |= atom.elements
        if atom.kind == "version":
            named.versions.append(atom.value.removesuffix("+"))
            named.later |= atom.value.endswith("+")
        elif atom.kind == "port":
            named.port = named.port or atom.value
        elif atom.kind == "other":
            named.other = atom.value
        named.later |= atom.kind == "later"
    if named.has("code", "word", "other"):
        yield named
    elif named.has("version", "port"):
        yield _Named(named.atoms)  # a number alone: nothing that can be read


def _starts_another(named: _Named, atom: Atom) -> bool:
    if atom.kind == "other":
        return named.has("code", "word", "other")
    if named.other:
        return atom.kind in ("cc", "code", "word")
    if atom.kind == "cc":
        return named.has("code", "word")
    return atom.kind in ("code", "word") and named.has("version") and "by" in atom.elements


def _licence(named: _Named) -> Licence | None:
    version = named.versions[0] if named.versions else ""
    if named.other:
        return None if named.port else OTHERS[named.other].of(version, named.later)
    if not named.elements or not (named.has("cc") or _is_whole(named)) or _is_by_chance(named):
        return None
    if _is_attribution(named):
        return OTHERS["attribution"].of()
    if version and "." not in version:
        version = f"{version}.0"
    if any(one not in CC_VERSIONS for one in named.versions if "." in one):
        version = "?"  # no such version, no such licence
    return creative_commons(named.elements, version, named.port)


def _is_whole(named: _Named) -> bool:
    """Whether what does not call itself Creative Commons is a name all the same, and no chance."""
    if named.has("word") and (len(named.elements) > 1 or named.versions):
        return True
    plain_words = {atom.value for atom in named.atoms if atom.kind == "plain"} <= LICENCE_WORDS
    word = {atom.value for atom in named.atoms if atom.kind == "word"} <= {ATTRIBUTION}
    version = all("." in one for one in named.versions)  # `by 4` is anything
    return plain_words and word and version and "by" in named.elements


def _is_by_chance(named: _Named) -> bool:
    """`CC, photo by`: the word, where nothing makes it a code."""
    if not named.has("cc") or named.elements != {"by"} or named.has("word", "version"):
        return False
    return not any(
        one.kind == "cc" and next_.kind == "code" for one, next_ in pairwise(named.atoms)
    )


def _is_attribution(named: _Named) -> bool:
    """Wikimedia Commons' licence of that name; `Attribution License` is Flickr's name of CC BY."""
    if named.elements != {"by"} or named.has("cc", "version", "code"):
        return False
    return not any(atom.value in LICENCE_WORDS for atom in named.atoms)


def _is_bare(named: _Named) -> bool:
    """Whether it is a code or a word that is a name only where nothing else is said."""
    if named.other or named.has("cc"):
        return False
    return not named.has("word") or (len(named.elements) == 1 and not named.versions)


def _is_reserved(text: str, everything: Sequence[str], divided: Sequence[str]) -> bool:
    apart = words(plain(_GLUED.sub(" ", text)))  # `ReservedCC BY`
    alone = {" ".join(one for one in words(plain(part)) if not one.isdecimal()) for part in divided}
    return (
        _says_reserved(everything)
        or (apart != everything and _says_reserved(apart))
        or not alone.isdisjoint(RESERVED_ALONE)
    )


def _says_reserved(everything: Sequence[str]) -> bool:
    text = f" {' '.join(everything)} "
    for some in SOME_RESERVED:
        text = text.replace(f" {some} ", " | ")
    return any(f" {one} " in text for one in RESERVED)


def _adds_nd(everything: Sequence[str], divided: Sequence[str]) -> bool:
    """`CC BY 4.0 (ND)`: a part that says nothing but ND, beside a licence of Creative Commons."""
    alone = any(
        "nd" in said and all(one == "nd" or is_version(one) for one in said)
        for said in (words(plain(part)) for part in divided)
    )
    return alone and not {"cc", "by", "ccby", "creative"}.isdisjoint(everything)


def _forbids_derivatives(everything: Sequence[str]) -> bool:
    """Whether "no derivatives" is somewhere in a statement that is not understood as a whole."""
    for at in range(len(everything)):
        for end in range(at + 1, min(len(everything), at + LONGEST) + 1):
            atom = VOCABULARY.get("".join(everything[at:end]))
            if atom and "nd" in atom.elements and (end - at > 1 or everything[at] != "nd"):
                return True
    return any("nd" in pair and set(pair) & {"by", "nc", "cc"} for pair in pairwise(everything))
