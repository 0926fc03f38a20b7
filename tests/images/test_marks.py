import pytest
from PIL.PngImagePlugin import PngInfo

from btfer.images import forbids_mining, read_photo
from btfer.images.marks import is_machine_made
from tests.conftest import as_bytes, draw_photo

VOCABULARY = "http://ns.useplus.org/ldf/vocab/DMI-"
MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def xmp(inner: str) -> bytes:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>{inner}</rdf:RDF></x:xmpmeta>'.encode()


def photo(format_: str, packet: bytes) -> bytes:
    if format_ == "PNG":
        chunk = PngInfo()
        chunk.add_itxt("XML:com.adobe.xmp", packet.decode())
        return as_bytes(draw_photo(1), format_, pnginfo=chunk)
    return as_bytes(draw_photo(1), format_, xmp=packet)


PROHIBITIONS = {
    "attribute": f'<rdf:Description plus:DataMining="{VOCABULARY}PROHIBITED"/>',
    "element": f"<plus:DataMining>\n{VOCABULARY}PROHIBITED-AIMLTRAINING</plus:DataMining>",
    "resource": f'<plus:DataMining rdf:resource="{VOCABULARY}PROHIBITED-SEECONSTRAINT"/>',
    "words": "<p:DataMining>Prohibited for Generative AI/ML training</p:DataMining>",
}


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("inner", PROHIBITIONS.values(), ids=PROHIBITIONS)
def test_a_prohibition_is_found_in_every_format(format_: str, inner: str) -> None:
    assert forbids_mining(photo(format_, xmp(inner)))


@pytest.mark.parametrize("word", ["ALLOWED", "UNSPECIFIED"])
def test_a_permission_is_none(word: str) -> None:
    allowed = (
        f'<rdf:Description plus:DataMining="{VOCABULARY}{word}" dc:rights="copying prohibited"/>'
    )
    assert not forbids_mining(photo("JPEG", xmp(allowed)))
    assert not forbids_mining(as_bytes(draw_photo(1)))


def test_what_a_generator_made_is_a_hint() -> None:
    made = f'<rdf:Description Iptc4xmpExt:DigitalSourceType="{MADE}"/>'
    assert read_photo(photo("JPEG", xmp(made))).hints["machine_made"]
    taken = made.replace("trainedAlgorithmicMedia", "digitalCapture")
    assert "machine_made" not in read_photo(photo("JPEG", xmp(taken))).hints
    assert is_machine_made(b"...c2pa..." + MADE.encode() + b"\0")
