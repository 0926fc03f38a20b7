"""Pictures at a glance: what a little moving explains."""

import cv2
import numpy as np

from btfer.leaks.glances import explained, glance_of, mirror_glances
from tests.leaks.pictures import cut, subjects


def test_a_moved_picture_is_explained_and_another_is_not() -> None:
    one, other = subjects(2)
    ours, moved, another = cut(one, high=1.3), cut(one, high=1.36, down=0.03), cut(other, high=1.3)
    glances = [glance_of(grey[None]) for grey in (ours, moved, another)]
    assert float((glances[0] * glances[1]).sum()) ** 2 < explained(glances[0], glances[1])[0]
    assert explained(glances[0], glances[1])[0] > 0.94
    assert explained(glances[0], glances[2])[0] < 0.84


def test_a_mirrored_glance_is_that_of_the_mirrored_picture() -> None:
    grey = cut(subjects(1)[0], high=1.2)
    assert np.allclose(
        mirror_glances(glance_of(grey[None])), glance_of(cv2.flip(grey, 1)[None]), atol=1e-6
    )


def test_a_blank_picture_is_like_nothing() -> None:
    blank = glance_of(np.full((1, 48, 48), 7, np.uint8))
    assert explained(blank, blank)[0] < 0.01
