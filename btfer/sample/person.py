"""Drawing a person at random: shape, colours, hair. Nobody real is behind any of them."""

from dataclasses import dataclass

import numpy as np

from btfer.sample.expression import drawn_units
from btfer.sample.mesh import Shapes
from btfer.sample.raster import Floats

ANCESTRY = {"White": "caucasian", "Black": "african", "Asian": "asian"}
AGES: dict[str, dict[str, float]] = {
    "child": {"child": 0.85, "young": 0.15},
    "adult": {"young": 1.0},
    "middle-aged": {"young": 0.5, "old": 0.5},
    "elderly": {"old": 1.0},
}
_SKIN = {"White": (228, 186, 162), "Black": (104, 70, 52), "Asian": (220, 178, 142)}
_HAIR = {
    "White": [(52, 36, 26), (96, 66, 42), (176, 136, 84), (132, 70, 40), (30, 24, 22)],
    "Black": [(20, 16, 15), (30, 22, 18)],
    "Asian": [(20, 17, 17), (38, 27, 22)],
}
_IRIS = {
    "White": [(84, 114, 144), (92, 108, 72), (82, 54, 32), (56, 36, 22)],
    "Black": [(50, 31, 20), (40, 25, 17)],
    "Asian": [(52, 33, 21), (40, 26, 18)],
}
_WRINKLES = {"child": 0.0, "adult": 0.08, "middle-aged": 0.5, "elderly": 1.0}
_GREY = {
    "child": (0.0, 0.0),
    "adult": (0.0, 0.0),
    "middle-aged": (0.0, 0.3),
    "elderly": (0.7, 0.95),
}
_FEATURES = ("nose", "mouth", "chin", "cheek", "eyes", "head", "forehead", "eyebrows", "ears")


@dataclass(frozen=True)
class Person:
    """What is fixed about a drawn person.

    Colours: float64 [3], RGB, 0-255. wrinkles, curl, beard: 0-1. hair_cm: 0 = bald. parting: x of the parting.
    """

    gender: str
    age: str
    ethnicity: str
    skin: Floats
    hair: Floats
    iris: Floats
    cloth: Floats
    wrinkles: float
    hair_cm: float
    curl: float
    parting: float
    fringe: bool
    beard: float


def draw_person(rng: np.random.Generator, gender: str, age: str, ethnicity: str) -> Person:
    """Someone of a group; the words are those of the query plan."""
    skin = np.array(_SKIN[ethnicity], np.float64) * rng.uniform(0.86, 1.08)
    grey = rng.uniform(*_GREY[age])
    hair = _one_of(rng, _HAIR[ethnicity])
    return Person(
        gender,
        age,
        ethnicity,
        skin=np.clip(skin, 30, 245),
        hair=hair * (1 - grey) + np.array((192.0, 190.0, 187.0)) * grey,
        iris=_one_of(rng, _IRIS[ethnicity]),
        cloth=rng.uniform(25, 220, 3),
        wrinkles=_WRINKLES[age] * rng.uniform(0.8, 1.2),
        hair_cm=_hair_cm(rng, gender, age, ethnicity),
        curl=rng.uniform(0.7, 1.0) if ethnicity == "Black" else rng.uniform(0.0, 0.25),
        parting=rng.uniform(-0.35, 0.35),
        fringe=bool(rng.random() < 0.35),
        beard=_beard(rng, gender, age),
    )


def shape_of(
    person: Person,
    shapes: Shapes,
    rng: np.random.Generator,
    expression: str,
    strength: float = 1.0,
) -> Floats:
    """The vertices of a person who shows an expression this strongly, float64 [V, 3], in decimetres."""
    vertices = shapes.mesh.vertices.copy()
    blend = _ancestry_blend(rng, person.ethnicity)
    weight = rng.choice(["minweight", "averageweight", "averageweight", "maxweight"])
    for age, share in AGES[person.age].items():
        for ancestry, part in blend.items():
            name = f"{ancestry}-{person.gender}-{age}"
            shapes.move(vertices, shapes.macro(name), share * part)
        for build in ("averageweight", weight):
            name = f"universal-{person.gender}-{age}-averagemuscle-{build}"
            shapes.move(vertices, shapes.macro(name), share * 0.5)
    _vary(vertices, shapes, rng)
    for unit, amount in drawn_units(expression, rng, strength):
        if shapes.face_unit(unit).is_file():
            shapes.move(vertices, shapes.face_unit(unit), amount)
    return vertices


def _one_of(rng: np.random.Generator, colours: list[tuple[int, int, int]]) -> Floats:
    return np.array(colours[rng.integers(len(colours))], np.float64)


def _ancestry_blend(rng: np.random.Generator, ethnicity: str) -> dict[str, float]:
    rest = rng.dirichlet([0.5, 0.5, 0.5]) * 0.15
    blend = dict(zip(ANCESTRY.values(), (float(part) for part in rest), strict=True))
    blend[ANCESTRY[ethnicity]] += 0.85
    return blend


def _vary(vertices: Floats, shapes: Shapes, rng: np.random.Generator) -> None:
    """Move some features a little; the right side follows the left."""
    for part in _FEATURES:
        known = [path for path in shapes.targets(part) if not path.name.startswith("r-")]
        for index in rng.choice(len(known), size=min(4, len(known)), replace=False):
            path, amount = known[int(index)], rng.uniform(0, 0.4)
            shapes.move(vertices, path, amount)
            if path.name.startswith("l-"):
                shapes.move(vertices, path.with_name("r-" + path.name[2:]), amount)


def _hair_cm(rng: np.random.Generator, gender: str, age: str, ethnicity: str) -> float:
    if gender == "male":
        bald = rng.random() < {"child": 0.0, "adult": 0.1}.get(age, 0.3)
        return 0.0 if bald else float(rng.uniform(2.0, 6.0))
    if ethnicity == "Black":
        return float(rng.uniform(3, 8))
    return float(rng.uniform(9, 16) if age == "elderly" else rng.uniform(14, 38))


def _beard(rng: np.random.Generator, gender: str, age: str) -> float:
    if gender == "female" or age == "child" or rng.random() > 0.35:
        return 0.0
    return float(rng.uniform(0.4, 0.9))
