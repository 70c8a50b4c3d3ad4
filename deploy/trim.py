"""Takes out of an image's packages what Nightshift never runs: `python deploy/trim.py FOLDER`, while it is built.

Wheels bring their own tests, headers and whole other programs along. Each line here is a pattern below site-packages
and why nobody misses it. Libraries also bring what debuggers read: whatever lies outside the parts that are loaded.
"""

import shutil
import struct
import sys
from pathlib import Path

NEEDLESS = {
    "*/tests": "packages' own tests",
    "*/*/tests": "packages' own tests",
    "*/*/*/tests": "packages' own tests",
    "test": "the same, of a package that forgot to leave them out",
    "tornado/test": "the same",
    "sqlalchemy/testing": "the same, for whoever writes a dialect",
    "alembic/testing": "the same",
    "**/*.pyi": "types for checkers",
    "**/*.px[id]": "sources for Cython",
    "**/*.pyx": "the same",
    "**/*.po": "translations before they are made ready",
    "*.dist-info/RECORD": "what pip would uninstall",
    "pyarrow/libarrow_flight*": "remote procedure calls; we read and write Parquet files",
    "pyarrow/_flight*": "the same",
    "pyarrow/libarrow_s3*": "its own client of buckets",
    "pyarrow/_s3fs*": "the same",
    "pyarrow/libarrow_python_flight*": "the same",
    "pyarrow/libarrow_*.so": "for linking; what is loaded has a number behind it",
    "pyarrow/libarrow_*.so.*.*": "the same",
    "pyarrow/_pyarrow_cpp_tests*": "its own tests",
    "pyarrow/include": "headers for C++",
    "pyarrow/src": "sources",
    "boto3/examples": "examples",
    "numpy/_core/include": "headers for C",
    "numpy/_core/lib": "libraries to link with",
    "numpy/random/lib": "the same",
    "numpy/_core/_simd*": "for NumPy's own tests",
    "numpy/distutils": "how packages were built once",
    "lxml/includes": "headers for C",
    "lxml/objectify*": "XML as objects; mail is read with etree and html",
    "lxml/isoschematron": "checks by rules of Schematron",
    "lxml/html/*diff*": "what differs between two pages",
    "PIL/_avif*": "pictures in AVIF, which no form takes",
    "pillow.libs/libavif*": "the same",
    "PIL/_imagingft*": "letters; what we write on pictures, Matplotlib writes",
    "pillow.libs/libfreetype*": "the same",
    "pillow.libs/libharfbuzz*": "the same",
    "pillow.libs/libpng*": "the same; Pillow reads PNG itself",
    "pillow.libs/libbrotli*": "the same",
    "PIL/_imagingcms*": "colours of printers",
    "pillow.libs/liblcms*": "the same",
    "yaml/_yaml*": "a faster reader of YAML; we read none",
    "wcwidth/_wcwidth_c*": "the same of how wide signs are, for Celery's shell",
    "plotly/[a-oq-z]*": "Python's side of the charts; pages need its script alone",
    "plotly/package_data/[!p]*": "the same",
    "narwhals": "the same",
    "_plotly_utils": "the same",
    "cffi": "makes bindings to C; those that are made need its _cffi_backend alone",
    "pycparser": "the same",
    "flask_bootstrap/static/bootstrap4": "the older Bootstrap",
    "flask_bootstrap/static/bootstrap5/css/bootswatch": "themes",
    "flask_bootstrap/static/bootstrap5/icons": "icons; ours stand in the pages",
    "flask_bootstrap/static/bootstrap5/css/font": "the same",
    "flask_bootstrap/static/**/*.map": "for whoever works on Bootstrap",
    "flower/static/**/*.map": "the same",
    "humanize/locale/*": "Flower's other languages, which it never speaks",
    "wtforms/locale/*": "the same of a library for forms; only its guard against forged ones is used",
    "apprise/assets/themes": "pictures for messages on desktops",
    "matplotlib/mpl-data/sample_data": "examples",
    "statsmodels/datasets/*/*.csv": "examples",
    "sklearn/datasets/data": "examples",
    "sklearn/datasets/images": "examples",
}
# Of these all but what is named goes, and why that is enough.
ALL_BUT = {
    # The languages of tasks.tabular.days; "no" is what "nb" builds upon.
    "babel/locale-data": ("root", "en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "no", "nb", "fi", "cs"),
    # Of hundreds of services S3, and STS, which knows roles; the files without a folder are for all of them.
    "botocore/data": ("s3", "sts", "_retry", "endpoints", "partitions", "sdk-default-configuration"),
    "boto3/data": ("s3",),
    "holidays/locale": ("en_US",),  # the names of holidays in English, else as the country itself calls them
}


def main(folder: Path) -> None:
    """Delete them, and say how much that was."""
    (packages,) = folder.glob("lib/python3*/site-packages")
    before = size(packages)
    for pattern in NEEDLESS:
        for found in sorted(packages.glob(pattern)):
            remove(found)
    for place, kept in ALL_BUT.items():
        for found in sorted((packages / place).glob("*")):
            if found.name.removesuffix(found.suffix) not in kept:
                remove(found)
    for found in sorted(packages.rglob("*.so*")):
        if found.is_file() and not found.is_symlink():
            found.write_bytes(loaded(found.read_bytes()))
    print(f"Packages: {before} MB, {size(packages)} MB without what never runs")  # noqa: T201


def remove(found: Path) -> None:
    """A file, a link or a whole folder; what went with its folder before is no matter."""
    if found.is_dir() and not found.is_symlink():
        shutil.rmtree(found)
    else:
        found.unlink(missing_ok=True)


ELF = b"\x7fELF\x02\x01"  # of 64 bits, the low byte first: of all machines that have wheels
HEADER, LOAD = struct.Struct("<16sHHIQQQIHHHHHH"), 1
SEGMENT = struct.Struct("<IIQQQQQQ")  # type, flags, offset, address, _, bytes, _, alignment


def loaded(library: bytes) -> bytes:
    """A shared library without what no process loads: symbols and line numbers for debuggers, and sections' names.

    What its segments hold stays as it is. A segment keeps its place within a page, so it moves by whole pages.
    """
    if library[: len(ELF)] != ELF:
        return library
    header = list(HEADER.unpack_from(library))
    table, count = header[5], header[10]
    segments = [list(SEGMENT.unpack_from(library, table + SEGMENT.size * number)) for number in range(count)]
    parts = sorted({(0, HEADER.size), (table, table + SEGMENT.size * count), *((s[2], s[2] + s[5]) for s in segments)})
    page = max(segment[7] for segment in segments if segment[0] == LOAD)
    moved, end, less, kept = {}, 0, 0, bytearray()
    for start, stop in parts:
        less += max(start - end, 0) // page * page
        moved[start], end = start - less, max(end, stop)
        kept += bytes(max(stop - less - len(kept), 0))
        kept[start - less : stop - less] = library[start:stop]
    header[5], header[6], header[11:] = moved[table], 0, [0, 0, 0]  # no sections
    for number, segment in enumerate(segments):
        segment[2] = moved[segment[2]]
        SEGMENT.pack_into(kept, moved[table] + SEGMENT.size * number, *segment)
    HEADER.pack_into(kept, 0, *header)
    return bytes(kept)


def size(folder: Path) -> int:
    return (
        sum(each.stat().st_size for each in folder.rglob("*") if each.is_file() and not each.is_symlink()) // 1_000_000
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
