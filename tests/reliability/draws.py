"""How often something is killed, and where: the variables KILLS and SEED."""

import os
import random

KILLS = int(os.environ.get("KILLS", "2"))
SEED = int(os.environ.get("SEED", "0"))


def draws(name: str) -> random.Random:
    """Where what has this name is killed: each time the same for a seed, and elsewhere for another."""
    return random.Random(f"{name} {SEED}" if SEED else name)
