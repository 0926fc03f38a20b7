"""What a run is: everything that its result depends on, and the release that it is scored on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ReleaseRef:
    """Which release a run was scored on."""

    name: str
    digest: str


@dataclass(frozen=True)
class RunDefinition:
    """Everything that a run's result depends on. values: as on disk; the run's id is a hash of them."""

    values: Mapping[str, Any]

    @property
    def architecture(self) -> str:
        """Name of the network, or of the other system."""
        return str(self.values["architecture"])

    @property
    def weights(self) -> str:
        """What the network started from: `none` or the name of pretrained weights."""
        return str(self.values["weights"])

    @property
    def resolution(self) -> int:
        """Side of the input in pixels."""
        return int(self.values["resolution"])

    @property
    def balance(self) -> str:
        """How classes were weighted in the loss."""
        return str(self.values["balance"])

    @property
    def seed(self) -> int:
        """Of the training; splits have a seed of their own."""
        return int(self.values["seed"])

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The fields of `train.protocol.Protocol`; of another system its name alone."""
        found: Mapping[str, Any] = self.values["protocol"]
        return found

    @property
    def protocol_name(self) -> str:
        """`paper`, `authors_code`, `strict` or `external`."""
        return str(self.protocol["name"])

    @property
    def epochs(self) -> int | None:
        """Epochs that a phase had at most; None = as the protocol says."""
        return self.values.get("epochs")

    @property
    def fold(self) -> str:
        """`1 of 3` in a cross-validation, `all of 3` for the whole of it; else empty."""
        return str(self.values.get("fold") or "")

    @property
    def split(self) -> str:
        """How the training set was split, in words."""
        return str(self.values.get("split") or "")

    @property
    def limit(self) -> int | None:
        """Training images of a class at most; None = all."""
        return self.values.get("limit")

    @property
    def mixed_precision(self) -> bool:
        """Whether the network computed in half precision."""
        return bool(self.values.get("mixed_precision"))

    def without_seed(self) -> dict[str, Any]:
        """The values that runs with different seeds share."""
        return {name: value for name, value in self.values.items() if name != "seed"}


def run_id(definition: RunDefinition) -> str:
    """12 hex digits that name a definition."""
    text = json.dumps(definition.values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
