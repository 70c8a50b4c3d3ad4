"""Arrays in one .npz, read so that nothing in it runs, unpacks or takes more memory than the file is long.

Whoever can write to the storage could put another file there. numpy's own reader takes packed entries, trusts a
header's shape before the bytes are there, and reads objects if told to; this one takes rows of plain values alone.
"""

import io
import zipfile
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

MOST_BYTES, MOST_PARTS = 512 * 1024 * 1024, 64
KINDS = "iufS"  # of arrays: whole numbers, floats, short bytes
ENCRYPTED = 1


def written(arrays: dict[str, NDArray[Any]]) -> bytes:
    """As numpy writes them."""
    out = io.BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]  # numpy's stubs take a name for one of its own
    return out.getvalue()


def arrays(stream: IO[bytes], wanted: Callable[[str], bool]) -> dict[str, NDArray[Any]]:
    """Those whose name is wanted; they cannot be changed.

    Raises:
        ValueError, zipfile.BadZipFile, and what they say: it is no such file.
    """
    with zipfile.ZipFile(stream) as held:
        parts = held.infolist()
        if len(parts) > MOST_PARTS or sum(each.file_size for each in parts) > MOST_BYTES:
            raise ValueError("too large")
        if any(each.compress_type != zipfile.ZIP_STORED or each.flag_bits & ENCRYPTED for each in parts):
            raise ValueError("packed")
        names = {each.filename.removesuffix(".npy"): each for each in parts}
        return {name: _array(held, each) for name, each in names.items() if wanted(name)}


def _array(held: zipfile.ZipFile, part: zipfile.ZipInfo) -> NDArray[Any]:
    with held.open(part) as stream:
        if npy.read_magic(stream) != (1, 0):
            raise ValueError("an array of another version")
        shape, _, kind = npy.read_array_header_1_0(stream)
        data = stream.read()
    if len(shape) != 1 or kind.kind not in KINDS or not kind.itemsize or len(data) != shape[0] * kind.itemsize:
        raise ValueError("an array that is no row of plain values")
    return np.frombuffer(data, kind)
