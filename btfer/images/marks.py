"""What a file says of its own use and making: may it be mined, was it made by a machine?

XMP is plain text in JPEG, PNG, WebP and AVIF, and so are the claims of Content Credentials (C2PA):
so the bytes are searched, whatever they are wrapped in.

Sources: IPTC Photo Metadata Standard 2025.1 (Data Mining, Digital Source Type); PLUS LDF, term DataMining.
"""

import re

_DATA_MINING = re.compile(rb"""DataMining\b[^>"'<]{0,40}[>"']\s*([^<"']{0,200})""")
_PROHIBITED = re.compile(rb"prohibited", re.IGNORECASE)
# Made by a machine, wholly or in part; the last two are kinds of the older vocabulary.
_MADE_BY_MACHINE = (
    b"digitalsourcetype/trainedAlgorithmicMedia",
    b"digitalsourcetype/compositeWithTrainedAlgorithmicMedia",
    b"digitalsourcetype/algorithmicMedia",
    b"digitalsourcetype/compositeSynthetic",
)


def forbids_mining(data: bytes) -> bool:
    """Whether a photo's metadata prohibit data mining (plus:DataMining, DMI-PROHIBITED and its kinds)."""
    return b"DataMining" in data and any(map(_PROHIBITED.search, _DATA_MINING.findall(data)))


def is_machine_made(data: bytes) -> bool:
    """Whether a photo's metadata say that a generator made it, or parts of it."""
    return any(kind in data for kind in _MADE_BY_MACHINE)
