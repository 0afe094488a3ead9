"""Which decoder reads which transfer syntax, in which order, and what to install where none does.

The order is fixed here and not left to what happens to be installed first: lossy decoders differ by a
grey level. The last resort for single frames is imagecodecs, an optional package.
"""

from __future__ import annotations

import re
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from hounsfield.core.errors import RefusedInput, StudyError
from hounsfield.studies import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

# Where an object lies in memory, which some decoders say of their input.
_ADDRESS = re.compile(r" ?<[^<>]* at 0x[0-9a-f]+>")
_PREFIX = "1.2.840.10008.1.2."
_MOST_PADDING_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a family of transfer syntaxes is decoded.

    plugins: pydicom's names, best first. imagecodecs: the function that reads one frame, "" for none.
    needs: packages that decode it, named where all failed. max_ratio: most that it can pack.
    """

    name: str
    plugins: tuple[str, ...] = ()
    imagecodecs: str = ""
    needs: str = ""
    max_ratio: int = limits.MAX_RATIO_OTHER


# gdcm is not among them: some damaged streams make it end the whole process.
_JPEG = Syntax("JPEG baseline", ("pillow", "pylibjpeg"), "jpeg8_decode", "pillow")
_JPEG_12 = Syntax("JPEG extended", ("pylibjpeg", "pillow"), "jpeg_decode", "imagecodecs")
_JPEG_LOSSLESS = Syntax("JPEG lossless", ("pylibjpeg",), "ljpeg_decode", "imagecodecs")
_JPEG_RETIRED = Syntax("progressive JPEG (retired)", (), "jpeg8_decode", "imagecodecs")
_JPEG_LS = Syntax("JPEG-LS", ("pyjpegls", "pylibjpeg"), "jpegls_decode", "pyjpegls")
_JPEG_2000 = Syntax("JPEG 2000", ("pylibjpeg", "pillow"), "jpeg2k_decode", "pylibjpeg-openjpeg")
_HTJ2K = Syntax("High-Throughput JPEG 2000", ("pylibjpeg",), "htj2k_decode", "pylibjpeg-openjpeg")
_JPEG_XL = Syntax("JPEG XL", (), "jpegxl_decode", "imagecodecs")
_VIDEO = Syntax("MPEG video", (), "", "")

# What is not here is not compressed.
COMPRESSED: dict[str, Syntax] = {
    _PREFIX + "5": Syntax("RLE", ("pylibjpeg", "pydicom"), "", "pylibjpeg-rle", limits.MAX_RATIO_RLE),
    _PREFIX + "8.1": Syntax("deflated frames", (), "", "", limits.MAX_RATIO_DEFLATE),
    _PREFIX + "4.50": _JPEG,
    _PREFIX + "4.51": _JPEG_12,
    _PREFIX + "4.53": _JPEG_RETIRED,
    _PREFIX + "4.55": _JPEG_RETIRED,
    _PREFIX + "4.57": _JPEG_LOSSLESS,
    _PREFIX + "4.70": _JPEG_LOSSLESS,
    _PREFIX + "4.80": _JPEG_LS,
    _PREFIX + "4.81": _JPEG_LS,
    _PREFIX + "4.90": _JPEG_2000,
    _PREFIX + "4.91": _JPEG_2000,
    **{_PREFIX + f"4.{number}": _VIDEO for number in range(100, 109)},
    **{_PREFIX + f"4.{number}": _JPEG_XL for number in range(110, 113)},
    **{_PREFIX + f"4.{number}": _HTJ2K for number in range(201, 204)},
}
DEFLATED_FRAMES = _PREFIX + "8.1"
RLE = _PREFIX + "5"


def decode_frames(ds: Dataset, numbers: Sequence[int], name: str) -> Iterator[NDArray[Any]]:
    """The frames `numbers` (from 1) of a data set with pixels, in that order, one at a time.

    Each is (y, x) or (y, x, 3), stored values; YBR is turned to RGB, palettes are not applied. `name` is
    for messages. Raises StudyError naming file, syntax and the package that is missing.
    """
    uid = str(ds.file_meta.TransferSyntaxUID)
    syntax = COMPRESSED.get(uid)
    if syntax is _VIDEO:
        raise RefusedInput(f"{name} holds MPEG video ({uid}), which is not read. Export single frames.")
    if uid == DEFLATED_FRAMES or (uid == RLE and int(ds.BitsAllocated) == 1):
        yield from _packed_frames(ds, numbers, name, _inflated if uid == DEFLATED_FRAMES else _run_lengths)
        return
    if syntax is _JPEG_LS:
        _check_has_end(ds, numbers, name)
    decoder_plugins = syntax.plugins if syntax is not None else ("",)
    failures: list[str] = []
    for plugin in decoder_plugins:
        try:
            first = _decoded(ds, uid, numbers[0] - 1, plugin)
        except Exception as error:  # noqa: BLE001 native decoders raise every kind; all are told below
            failures.append(_reason(plugin, error))
            continue
        yield first
        yield from _rest(ds, uid, numbers[1:], plugin, name)
        return
    if syntax is not None and syntax.imagecodecs:
        try:
            yield from _by_imagecodecs(ds, numbers, syntax)
        except Exception as error:  # noqa: BLE001 as above
            failures.append(_reason("imagecodecs", error))
        else:
            return
    raise _undecoded(name, uid, syntax, failures)


def _check_has_end(ds: Dataset, numbers: Sequence[int], name: str) -> None:
    """Raise StudyError for a code stream that was cut off: decoders of JPEG-LS can read on for many seconds there."""
    streams = list(generate_frames(ds.PixelData, number_of_frames=int(ds.get("NumberOfFrames") or 1)))
    for number in numbers:
        if number > len(streams) or not has_end_of_image(streams[number - 1]):
            raise StudyError(
                f"frame {number} of {name} ends before the end of its JPEG-LS code stream: it was cut off. Send it again."
            )


def has_end_of_image(stream: bytes) -> bool:
    """Whether a code stream of JPEG or JPEG-LS ends with its marker (T.87 C.1.1), padding aside."""
    return stream[-_MOST_PADDING_BYTES:].rstrip(b"\0\xff").endswith(b"\xff\xd9")


def _decoded(ds: Dataset, uid: str, index: int, plugin: str) -> NDArray[Any]:
    with _without_panic():
        frame: NDArray[Any] = get_decoder(UID(uid)).as_array(ds, index=index, decoding_plugin=plugin)[0]
    return frame


@contextmanager
def _without_panic() -> Iterator[None]:
    """Turn the panic of a decoder written in Rust, which is no Exception, into one."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise ValueError(f"the decoder gave up ({error})") from error
        raise


def _rest(ds: Dataset, uid: str, numbers: Sequence[int], plugin: str, name: str) -> Iterator[NDArray[Any]]:
    if not numbers:
        return
    indices = [number - 1 for number in numbers]
    try:
        with _without_panic():
            for frame, _ in get_decoder(UID(uid)).iter_array(ds, indices=indices, decoding_plugin=plugin):
                yield frame
    except Exception as error:
        raise _undecoded(name, uid, COMPRESSED.get(uid), [_reason(plugin, error)]) from error


def _by_imagecodecs(ds: Dataset, numbers: Sequence[int], syntax: Syntax) -> Iterator[NDArray[Any]]:
    import imagecodecs

    decode = getattr(imagecodecs, syntax.imagecodecs)
    n_frames = int(ds.get("NumberOfFrames") or 1)
    streams = list(generate_frames(ds.PixelData, number_of_frames=n_frames))
    shape = (int(ds.Rows), int(ds.Columns))
    for number in numbers:
        frame = np.asarray(decode(streams[number - 1]))
        if frame.shape[:2] != shape:
            raise StudyError(f"the code stream holds {frame.shape[:2]} pixels and the header states {shape}")
        yield _with_sign(frame, ds)


def _with_sign(frame: NDArray[Any], ds: Dataset) -> NDArray[Any]:
    """JPEG streams know no sign: take the stored bits as two's complement where the header says so."""
    if int(ds.get("PixelRepresentation") or 0) != 1 or frame.dtype.kind != "u":
        return frame
    shift = frame.dtype.itemsize * 8 - int(ds.BitsStored)
    signed: NDArray[Any] = (frame << shift).view(frame.dtype.str.replace("u", "i")) >> shift
    return signed


def _packed_frames(
    ds: Dataset, numbers: Sequence[int], name: str, unpack: Callable[[bytes, int], bytes]
) -> Iterator[NDArray[Any]]:
    """Frames that pydicom does not decode: deflated ones (PS3.5 A.4.11), and bits in RLE (PS3.5 G)."""
    rows, columns, samples = int(ds.Rows), int(ds.Columns), int(ds.get("SamplesPerPixel") or 1)
    bits = int(ds.BitsAllocated)
    n_bytes = (rows * columns * samples * bits + 7) // 8
    streams = list(generate_frames(ds.PixelData, number_of_frames=int(ds.get("NumberOfFrames") or 1)))
    for number in numbers:
        try:
            content = unpack(streams[number - 1], n_bytes)
        except (zlib.error, IndexError) as error:
            raise StudyError(
                f"frame {number} of {name} cannot be unpacked ({error}). Send it again."
            ) from error
        if len(content) < n_bytes:
            raise StudyError(
                f"frame {number} of {name} unpacks to {len(content)} of {n_bytes} bytes. Send it again."
            )
        if bits == 1:
            packed = np.unpackbits(np.frombuffer(content[:n_bytes], np.uint8), bitorder="little")
            yield packed[: rows * columns].reshape(rows, columns)
        else:
            kind = "i" if int(ds.get("PixelRepresentation") or 0) == 1 else "u"
            values = np.frombuffer(content[:n_bytes], f"<{kind}{bits // 8}")
            yield values.reshape((rows, columns) if samples == 1 else (rows, columns, samples))


def _inflated(stream: bytes, n_bytes: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream, n_bytes + 2)


def _run_lengths(stream: bytes, n_bytes: int) -> bytes:
    """One segment of PackBits behind the header of 64 bytes (PS3.5 G.3, G.5)."""
    unpacked, at = bytearray(), 64
    while at + 1 < len(stream) and len(unpacked) < n_bytes:
        control = stream[at]
        if control < 128:
            unpacked += stream[at + 1 : at + 2 + control]
            at += 2 + control
        else:
            unpacked += stream[at + 1 : at + 2] * ((257 - control) if control > 128 else 0)
            at += 2 if control > 128 else 1
    return bytes(unpacked)


def _reason(plugin: str, error: Exception) -> str:
    message = _ADDRESS.sub("", " ".join(str(error).split()))
    return f"{plugin or 'pydicom'}: {message[:160] or type(error).__name__}"


def _undecoded(name: str, uid: str, syntax: Syntax | None, failures: Sequence[str]) -> StudyError:
    known = f"{syntax.name} ({uid})" if syntax is not None else f"transfer syntax {uid}"
    remedy = f" If it reads elsewhere, install {syntax.needs}." if syntax is not None and syntax.needs else ""
    return StudyError(
        f"the pixels of {name} in {known} could not be decoded: {'; '.join(failures) or 'no decoder knows it'}. "
        f"The file is damaged or its header does not fit its pixels: send it again.{remedy}"
    )
