"""A finding in plain words, with how sure we are."""

from btfer.bench.report.contrasts import QUESTIONS
from btfer.bench.report.intervals import Interval
from btfer.bench.report.questions import IMAGES, LEVEL, NETWORKS, Finding


def certainty(found: Finding) -> str:
    """clear, likely, no difference shown, or too few: from the interval and the corrected sign test.

    Nothing is clear, of all networks or of these only, unless both say so.
    """
    if found.interval is None:
        return "too few"
    sure = found.p_holm < LEVEL
    if found.interval.low <= 0 <= found.interval.high:
        return "likely" if sure else "no difference shown"
    if not sure:
        return "likely"
    return "these networks only" if found.unit == IMAGES else "clear"


def verdict(found: Finding) -> str:
    """The certainty, or why there is none."""
    if found.noise:
        return "same weights: noise"
    if found.confounded:
        return "confounded: other images at 48 px"
    return certainty(found)


def sentence(found: Finding) -> str:
    """What changed by how much, over what, and how sure that is."""
    if found.noise:
        return _noise(found)
    much = f"{_name(found)}: accuracy {signed(found.mean)}"
    if found.interval:
        much += f" (95 % interval {span(found.interval)})"
    return f"{much}, over {_matched(found)}. {_sure(found)}"


def answers(found: list[Finding]) -> list[tuple[str, str, list[Finding]]]:
    """Question, the sentence of its headline, and all its findings; a question without any says so."""
    out = []
    for name, text in QUESTIONS.items():
        mine = [one for one in found if one.contrast.question == name]
        answer = sentence(mine[0]) if mine else "No two groups of runs differ only in this yet."
        place = mine[0].contrast.where if mine else {}
        answer += "".join(
            f" Some of these pairs are of other images at each level. {sentence(one)}"
            for one in mine[1:]
            if one.contrast.without and one.contrast.where == place
        )
        out.append((f"{name}: {text}", answer, mine))
    return out


def signed(value: float) -> str:
    """+0.012."""
    return f"{value:+.3f}"


def span(interval: Interval) -> str:
    """+0.010 to +0.030."""
    return f"{interval.low:+.3f} to {interval.high:+.3f}"


def p_text(p: float) -> str:
    """A p-value as people write it."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _name(found: Finding) -> str:
    name = found.contrast.name
    return name[0].upper() + name[1:]


def _matched(found: Finding) -> str:
    cells = f"{found.cells} matched {'pair' if found.cells == 1 else 'pairs'}"
    networks = f"{found.networks} {'network' if found.networks == 1 else 'networks'}"
    text = f"{cells} of {networks}"
    if found.unit == IMAGES:
        return text
    unit = NETWORKS if found.unit == NETWORKS else "pairs"
    return f"{text} (up in {found.up} {unit}, down in {found.down})"


def _sure(found: Finding) -> str:
    over = " over images" if found.unit == IMAGES else ""
    p = f"sign test{over} p {p_text(found.p)}, {p_text(found.p_holm)} after Holm's correction"
    way = "higher" if found.mean > 0 else "lower"
    match certainty(found):
        case "clear":
            return f"Clear: {way} beyond chance ({p})."
        case "likely":
            return f"Likely {way}, but not certain: {p}."
        case "these networks only":
            return (
                f"Clearly {way} for these trained networks on these images ({p}); "
                "there are too few networks to generalise to others."
            )
        case "no difference shown" if found.interval:
            return f"No difference shown: anything from {span(found.interval)} fits the numbers."
        case _:
            return "Too few to conclude anything."


def _noise(found: Finding) -> str:
    return (
        f"{_name(found)}: both weightings are the same numbers here, so a pair differs only because "
        f"training was repeated: by {found.gap:.3f} on average, whatever the sign, over "
        f"{found.cells} matched pairs (mean {signed(found.mean)}). Smaller differences than this in a "
        "single pair mean nothing."
    )
