"""The words that options accept, as enums that `--help` lists and the shell completes.

They stand here, and not beside what they choose, so that `--help` imports nothing slow; a test compares
them with the registries that they name.
"""

from enum import StrEnum

Engine = StrEnum("Engine", "serial processes ray")
Source = StrEnum("Source", "bing commons flickr openverse google baidu yandex sample")
Licences = StrEnum("Licences", "any stated derivatives free")
Hash = StrEnum("Hash", "phash dhash whash colorhash crop_resistant")
CropMode = StrEnum("CropMode", "paper authors_code square")
Faces = StrEnum("Faces", "all largest single")
Unreviewed = StrEnum("Unreviewed", "drop keep")
KeepUnreviewed = StrEnum("KeepUnreviewed", "keep")
Strategy = StrEnum("Strategy", "equal proportional random")
Round = StrEnum("Round", "photos faces")
Grid = StrEnum("Grid", "quick paper modern")
Balance = StrEnum("Balance", "none simple conservative")
Weights = StrEnum("Weights", "none imagenet vggface")
Protocol = StrEnum("Protocol", "paper authors_code strict short")
Split = StrEnum("Split", "official authors strict")
Augment = StrEnum("Augment", "auto host device")
ModelFormat = StrEnum("ModelFormat", "tflite onnx")
OtherClasses = StrEnum("OtherClasses", "wrong drop")
Quantize = StrEnum("Quantize", "none dynamic float16 int8")


class Resolution(StrEnum):
    """Side of a network's input, in pixels."""

    PX48 = "48"
    PX224 = "224"


class SystemName(StrEnum):
    """Systems that people deploy."""

    FER = "fer"
    EMOTIEFFLIB = "emotiefflib"
    HSEMOTION = "hsemotion-onnx"
    DEEPFACE = "deepface"
    RMN = "rmn"
    PYFEAT = "py-feat"


RELEASE_FORMATS = ("folder", "tfrecord", "webdataset", "parquet")
RETRY_REASONS = (
    *("failed", "timeout", "tls", "no connection", "incomplete", "told to wait"),
    *("host refuses", "host down", "robots.txt down", "agency preview"),
    *("robots", "opt-out", "blocked", "licence", "withdrawn", "private address"),
    *("redirects", "scheme", "bad url", "too large", "too small", "truncated", "empty"),
    *("not an image", "format", "animated", "too many pixels", "too many scans"),
    *("crashed the decoder", "out of memory"),
)
