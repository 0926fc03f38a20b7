"""A contact picture of pairs: ours, theirs, and which they are; to look at before a leak is believed."""

import io
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from btfer.leaks.search import Leak
from btfer.leaks.training import TrainingSet
from btfer.leaks.views import LeakSubject, Views, views_of

TILE_PX = 128
CAPTION_PX = 48
COLUMNS = 4
MAX_PAIRS = 60  # the csv has all


def sheet(
    leaks: Sequence[Leak], subjects: Sequence[LeakSubject], training: Mapping[str, TrainingSet]
) -> bytes:
    """A PNG of at most 60 pairs, the least alike first: our face with its surroundings, and the training picture.

    Both are grey, as they were compared, 128 px wide each. subjects: all faces that `leaks` names. training: by name.
    """
    shown = sorted(leaks, key=lambda leak: (-leak.difference, leak))[:MAX_PAIRS]
    known = {one.name: one for one in subjects}
    wide, high = 2 * TILE_PX + 8, TILE_PX + CAPTION_PX
    lines = max(1, -(-len(shown) // COLUMNS))
    picture = Image.new("RGB", (COLUMNS * wide, lines * high + 24), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=11)
    title = f"{len(leaks)} pairs: our face left, training picture right" + (
        f"; the {MAX_PAIRS} least alike are shown" if len(leaks) > MAX_PAIRS else ""
    )
    draw.text((4, 4), title, fill="black", font=font)
    for number, leak in enumerate(shown):
        left, top = number % COLUMNS * wide, number // COLUMNS * high + 24
        ours = views_of(known[leak.ours])
        if isinstance(ours, Views):
            picture.paste(
                Image.fromarray(ours.sources[0 if leak.shows == "photo" else 1]), (left, top)
            )
        their = training[leak.training]
        grey = Image.fromarray(their.greys[their.files.index(leak.file)])
        picture.paste(grey.resize((TILE_PX, TILE_PX)), (left + TILE_PX, top))
        where = f"{leak.ours[-36:]}\n{leak.training}: {leak.file[-32:]}"
        sure = "" if leak.sure else " unsure,"
        text = f"{where}\n{leak.difference:.2f},{sure} {leak.shows_in_words}"
        draw.text((left + 2, top + TILE_PX + 2), text, fill="black", font=font)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
