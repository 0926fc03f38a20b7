"""Published files of pretrained weights: name, address, checksum, and where Keras keeps them.

The checksums are those that Keras's source states; it has none for the two MobileNets, and keras-vggface none at
all. The sha256 of what was loaded stands in every run's record.

Importing this loads no Keras; `weights` finds, fetches and loads them.
"""

from dataclasses import dataclass

GOOGLE = "https://storage.googleapis.com/tensorflow/keras-applications"
MALLI = "https://github.com/rcmalli/keras-vggface/releases/download/v2.0"
NOTICES = {
    "vggface": (
        "VGGFace weights are for non-commercial research, with attribution (Parkhi et al. 2015; "
        "VGGFace2: Cao et al. 2018; Keras files by R. C. Malli). They may not be redistributed."
    )
}
"""What the licence of some weights asks to be said wherever they are used."""


@dataclass(frozen=True)
class WeightFile:
    """A published weight file. md5: as Keras states it, if it does. folder: in Keras's cache."""

    name: str
    url: str
    md5: str | None = None
    folder: str = "models"


def imagenet_file(
    folder: str, name: str, *, md5: str | None = None, cached_as: str = ""
) -> WeightFile:
    """A file of keras.applications. folder: at its address. cached_as: its name in Keras's cache, if another."""
    return WeightFile(cached_as or name, f"{GOOGLE}/{folder}/{name}", md5)


def vggface_file(network: str) -> WeightFile:
    """A file of keras-vggface, without the top."""
    name = f"rcmalli_vggface_tf_notop_{network}.h5"
    return WeightFile(name, f"{MALLI}/{name}", folder="models/vggface")
