"""Takes out of an image's packages what Nightshift never runs: `python deploy/trim.py FOLDER`, while it is built.

Wheels bring their own tests, headers and whole other programs along. Each line here is a pattern below site-packages
and why nobody misses it.
"""

import shutil
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
    print(f"Packages: {before} MB, {size(packages)} MB without what never runs")  # noqa: T201


def remove(found: Path) -> None:
    """A file, a link or a whole folder; what went with its folder before is no matter."""
    if found.is_dir() and not found.is_symlink():
        shutil.rmtree(found)
    else:
        found.unlink(missing_ok=True)


def size(folder: Path) -> int:
    return (
        sum(each.stat().st_size for each in folder.rglob("*") if each.is_file() and not each.is_symlink()) // 1_000_000
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
