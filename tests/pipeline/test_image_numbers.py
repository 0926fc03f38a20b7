"""An image keeps its name from release to release, and who comes for one that went takes its number."""

import random

import pytest

from btfer.catalogue.rows import KeptFace
from btfer.expressions import EXPRESSIONS
from btfer.pipeline import sample
from btfer.pipeline.release_images import numbered

GROUPS = [
    (e, g, a) for e in ("Asian", "Black", "") for g in ("female", "male") for a in ("adult", "")
]


def face(number: int) -> KeptFace:
    rng = random.Random(number)
    group = GROUPS[rng.randrange(len(GROUPS))]
    label = EXPRESSIONS[number % len(EXPRESSIONS)]
    page = f"https://site-{number}.example/"
    return KeptFace(f"{number:024x}-0", f"{number:064x}", label, *group, page, "", "CC0", "")


def names(faces: list[KeptFace], earlier: dict[str, str]) -> dict[str, str]:
    """The file of each face that is drawn, 300 a class."""
    drawn = sample.draw(faces, per_class=300, seed=1).chosen
    return {
        id_: f"{label}/{label}-{number:03d}.png"
        for label, its in drawn.items()
        for number, id_ in numbered(label, [one.id for one in its], earlier)
    }


@pytest.mark.parametrize("seed", range(5))
def test_of_2100_images_one_changes_where_one_face_is_forgotten(seed: int) -> None:
    every = [face(number) for number in range(7 * 420)]
    before = names(every, {})
    assert len(set(before.values())) == 2100
    gone = random.Random(seed).choice(sorted(before))
    after = names([one for one in every if one.id != gone], before)
    assert set(after.values()) == set(before.values())
    changed = {before[gone]} | {name for id_, name in after.items() if before.get(id_) != name}
    assert changed == {before[gone]}


def test_numbers_beyond_the_end_are_given_up_and_the_free_ones_taken() -> None:
    earlier = {"a": "sad/sad-003.png", "b": "sad/sad-001.png", "c": "happy/happy-002.png"}
    assert sorted(numbered("sad", ["c", "b", "a"], earlier)) == [(1, "b"), (2, "c"), (3, "a")]
    assert sorted(numbered("sad", ["a", "b"], earlier)) == [(1, "b"), (2, "a")]
