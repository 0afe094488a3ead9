"""Single code streams without loss, decoded straight into their place: for the usual compressed CT and MR.

The decoders release the interpreter's lock, so threads share the work. Whatever is unusual or damaged is left to
codecs.py, which gives the same values or says what is wrong.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.studies.codecs import has_end_of_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.studies.instances import Instance

_PREFIX = "1.2.840.10008.1.2.4."
JPEG_LS = _PREFIX + "80"
# Function of imagecodecs by transfer syntax: JPEG-LS, JPEG 2000 and HTJ2K, the lossless ones of each.
_DECODERS = {
    JPEG_LS: "jpegls_decode",
    _PREFIX + "90": "jpeg2k_decode",
    _PREFIX + "201": "htj2k_decode",
    _PREFIX + "202": "htj2k_decode",
}
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2", ""})


def has_code_stream(instance: Instance) -> bool:
    """Whether the file holds one grey frame of 16 bits in a code stream that can be decoded here."""
    pixels = instance.pixels
    return (
        pixels is not None
        and pixels.n_bytes is None
        and pixels.keyword == "PixelData"
        and instance.transfer_syntax_uid in _DECODERS
        and instance.n_frames == 1
        and instance.samples == 1
        and instance.photometric in _GREY
        and _has_imagecodecs()
    )


@cache
def _has_imagecodecs() -> bool:
    return find_spec("imagecodecs") is not None


def decode_into(values: NDArray[np.int16], instance: Instance) -> bool:
    """Decode the frame of `instance` into `values` (y, x); False where it must be read in the general way."""
    import imagecodecs

    decode = getattr(imagecodecs, _DECODERS[instance.transfer_syntax_uid])
    try:
        stream = _code_stream(instance)
        place: NDArray[Any] = values.view(np.uint16)
        return stream is not None and decode(stream, out=place) is place and _takes_sign(values, instance)
    # Damaged, of eight bits, of another size or signed: the general way tries again and tells what is wrong.
    except (OSError, RuntimeError, TypeError, ValueError):
        return False


def _takes_sign(values: NDArray[np.int16], instance: Instance) -> bool:
    """JPEG streams know no sign: the stored bits are two's complement where the header says so."""
    if instance.is_signed and instance.bits_stored < 16:
        shift = 16 - instance.bits_stored
        np.left_shift(values, shift, out=values)
        np.right_shift(values, shift, out=values)
    return True


def _code_stream(instance: Instance) -> bytes | None:
    """The fragments behind the offset table (PS3.5 A.4), joined; None where they are not whole."""
    if instance.pixels is None or instance.source.path is None:
        return None
    with Path(instance.source.path).open("rb") as file:
        file.seek(instance.pixels.offset_bytes)
        content = file.read()
    fragments, at = [], 0
    while content[at : at + 4] == _ITEM:
        n_bytes = int.from_bytes(content[at + 4 : at + 8], "little")
        fragments.append(content[at + 8 : at + 8 + n_bytes])
        at += 8 + n_bytes
    if content[at : at + 4] != _DELIMITER or len(fragments) < 2:
        return None
    stream = b"".join(fragments[1:])
    is_whole = instance.transfer_syntax_uid != JPEG_LS or has_end_of_image(stream)
    return stream if is_whole else None
