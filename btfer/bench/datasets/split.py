"""Three ways to part a training set, by name.

`official`: the makers' parts. `authors`: what the authors of BTFER did. `strict`: a part to learn from,
one to steer by, and one that nothing looks at before the end.

| set | official | authors | strict |
|---|---|---|---|
| RAF-DB | train, steered and scored by test | all pooled, 70/30 | 90/10 of train; test untouched |
| FER2013 (CSV) | train, PublicTest, PrivateTest | train, both tests joined | as official |
| AffectNet | train, steered and scored by validation | all pooled, 80/20 | 90/10 of train; validation untouched |
| folders train and test | as they lie | as they lie | 90/10 of train; test untouched |
| class folders, releases | none | 70/30 | 30 % untouched, 90/10 of the rest |
"""

from dataclasses import replace

import numpy as np

from btfer.bench.datasets.sets import NOBODY, Indices, Split, TrainingSource, stratified_split
from btfer.errors import UsageError

SPLITS = ("official", "authors", "strict")
POOLED_SHARE = {"rafdb": 0.3, "affectnet": 0.2}  # of all images, to validate on
VALIDATION_SHARE = 0.3  # of a set that was never parted
STEERING_SHARE = 0.1  # of what may be learnt from, in `strict`


def split_source(source: TrainingSource, how: str, seed: int = 0) -> Split:
    """Part a set. Raises UsageError for an unknown way, and for `official` of a set without parts."""
    if how not in SPLITS:
        raise UsageError(f"unknown split '{how}'; choose one of {', '.join(SPLITS)}")
    _check_parts(source)
    part = {"official": _official, "authors": _authors, "strict": _strict}[how]
    learn, check, test, words = part(source, seed)
    images = source.images
    return Split(
        images.name,
        images,
        images,
        learn,
        check,
        f"{source.how}; {how}: {words}",
        test,
        source.kind,
    )


def _check_parts(source: TrainingSource) -> None:
    """Raise UsageError where the makers' parts have nothing to learn from, or nothing else."""
    parts = source.parts
    if not parts or "all" in parts:
        return
    there = f"'{source.images.name}' ({source.how}) has the part {' and '.join(parts)} alone"
    if "train" not in parts:
        raise UsageError(f"{there}, and nothing to learn from: fetch its train part too")
    if len(parts) == 1:
        raise UsageError(f"{there}, and nothing to test on: fetch its test or validation part too")


def limited(split: Split, per_class: int, seed: int = 0) -> Split:
    """The split with at most so many images of a class to learn from and to steer by; test as it is."""
    learn, check = (
        _at_most(indices, split.train.labels, per_class, seed)
        for indices in (split.train_indices, split.validation_indices)
    )
    how = f"{split.how}; at most {per_class} of a class"
    return replace(split, train_indices=learn, validation_indices=check, how=how)


Parts = tuple[Indices, Indices, Indices, str]  # learn, steer, test, words


def _official(source: TrainingSource, seed: int) -> Parts:
    parts = source.parts
    if "train" not in parts:
        raise UsageError(
            f"'{source.images.name}' ({source.how}) has no official parts: use --split authors or strict"
        )
    if "validation" in parts and "test" in parts:
        return parts["train"], parts["validation"], parts["test"], "the makers' three parts"
    return parts["train"], _held(source), NOBODY, "the makers' two parts"


def _authors(source: TrainingSource, seed: int) -> Parts:
    share = POOLED_SHARE.get(source.kind, VALIDATION_SHARE)
    if "train" in source.parts and not _was_pooled(source):
        checked = [part for name, part in source.parts.items() if name != "train"]
        return source.parts["train"], np.sort(np.concatenate(checked)), NOBODY, "train and the rest"
    learn, check = stratified_split(source.images.labels, share, seed)
    return learn, check, NOBODY, f"{1 - share:.0%} and {share:.0%} of all, seed {seed}"


def _was_pooled(source: TrainingSource) -> bool:
    """Whether the authors parted anew what lies here: not so what they, or others, had parted already."""
    as_its_makers = source.how.startswith(("RAF-DB", "AffectNet"))
    if not as_its_makers:
        return source.kind == "rafdb" and "test" in source.parts
    return source.kind in POOLED_SHARE


def _strict(source: TrainingSource, seed: int) -> Parts:
    parts = source.parts
    if "validation" in parts and "test" in parts:
        return parts["train"], parts["validation"], parts["test"], "as parted"
    if "train" in parts:
        learn, test, words = parts["train"], _held(source), "untouched as parted"
    else:
        learn, test = stratified_split(source.images.labels, VALIDATION_SHARE, seed)
        words = f"{VALIDATION_SHARE:.0%} untouched"
    rest, check = stratified_split(source.images.labels[learn], STEERING_SHARE, seed)
    return learn[rest], learn[check], test, f"{words}, {STEERING_SHARE:.0%} to steer, seed {seed}"


def _held(source: TrainingSource) -> Indices:
    return source.parts["test"] if "test" in source.parts else source.parts["validation"]


def _at_most(indices: Indices, labels: Indices, per_class: int, seed: int) -> Indices:
    rng = np.random.default_rng(seed)
    own = labels[indices]
    chosen = [rng.permutation(indices[own == label])[:per_class] for label in np.unique(own)]
    return np.sort(np.concatenate(chosen))
