"""The seven expression classes, in label order, and the names that public datasets give them.

Source: BTFER, Table 1. The order is alphabetical, which is also the label order of every set the paper trains on.
"""

from btfer.errors import UsageError

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")

_ALIASES = {
    "angry": ("anger", "mad"),
    "disgust": ("disgusted",),
    "fear": ("fearful", "afraid", "scared"),
    "happy": ("happiness", "joy", "smile"),
    "neutral": ("calm", "no expression"),
    "sad": ("sadness",),
    "surprise": ("surprised", "amazed", "suprise"),  # the last as a re-upload of FER+ spells it
}
_BY_NAME = {name: label for label, names in _ALIASES.items() for name in (label, *names)}


def is_expression(name: str) -> bool:
    """Whether `name` means a class."""
    return name.strip().lower() in _BY_NAME


def parse_expression(name: str) -> str:
    """The class that `name` means, by meaning and never by index (`Anger` -> `angry`).

    Raises UsageError for a name of no class.
    """
    try:
        return _BY_NAME[name.strip().lower()]
    except KeyError:
        raise UsageError(
            f"unknown expression class '{name[:40]}'; choose one of {', '.join(EXPRESSIONS)}"
        ) from None
