"""The team's guidelines: a text beside the query plan, which reviewers read and whose version their pages carry."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from btfer.errors import BtferError
from btfer.paths import bundled
from btfer.plain_files import read_plain_text

FILE = "guidelines.md"


@dataclass(frozen=True)
class Guidelines:
    """A text in Markdown, and a name of its version: 12 hexadecimal digits of what it says ('' = there is none)."""

    text: str = ""
    version: str = ""


NO_GUIDELINES = Guidelines()


def read_guidelines(queries_dir: Path) -> Guidelines:
    """Those in the folder of the query plan, else those that came with btfer. Raises BtferError."""
    file = queries_dir / FILE
    if not os.path.lexists(file):
        file = bundled("queries") / FILE
    try:
        text = read_plain_text(file, "utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BtferError(f"{file} cannot be read as text (UTF-8): {error}") from None
    return (
        Guidelines(text, hashlib.sha256(text.encode()).hexdigest()[:12]) if text else NO_GUIDELINES
    )
