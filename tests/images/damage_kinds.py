"""Ways in which a file is damaged from some byte on: what disks, cards and broken downloads do."""

import numpy as np


def zeros_to_the_end(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(len(data) - at)


def lost_page(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(4096) + data[at + 4096 :]


def half_a_page_lost(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(2048) + data[at + 2048 :]


def overwritten(data: bytes, at: int) -> bytes:
    return data[:at] + np.random.default_rng(at).bytes(2048) + data[at + 2048 :]


def gap(data: bytes, at: int) -> bytes:
    return data[:at] + data[at + 1024 :]
