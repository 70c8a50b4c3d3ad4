"""Takes out of an image's packages what Nightshift never runs: `python deploy/trim.py FOLDER`, while it is built.

Wheels bring their own tests, headers and whole other programs along. Each line here is a pattern below site-packages
and why nobody misses it; a pattern that finds nothing is told, as the package has changed then.
"""

import shutil
import sys
from pathlib import Path

NEEDLESS = {
    "*/tests": "packages' own tests",
    "*/*/tests": "packages' own tests",
    "*/*/*/tests": "packages' own tests",
    "pyarrow/libarrow_flight*": "remote procedure calls; we write Parquet files",
    "pyarrow/_flight*": "the same",
    "pyarrow/libarrow_s3*": "its own client of buckets",
    "pyarrow/_s3fs*": "the same",
    "pyarrow/libarrow_substrait*": "query plans",
    "pyarrow/_substrait*": "the same",
    "pyarrow/include": "headers for C++",
    "pyarrow/src": "sources",
    "pyarrow/*.px[id]": "sources",
    "pyarrow/*.pyx": "sources",
    "boto3/examples": "examples",
    "boto3/data/[!s]*/": "other services than S3",
    "boto3/data/s[!3]*/": "the same",
    "botocore/data/[!s]*/": "other services than S3 and STS, which knows roles; the files beside them stay",
    "botocore/data/s[!3t]*/": "the same",
    "botocore/data/st[!s]*/": "the same",
    "botocore/data/s3?*/": "the same",
    "numpy/_core/include": "headers for C",
    "plotly/[a-oq-z]*": "Python's side of the charts; pages need its script alone",
    "plotly/package_data/[!p]*": "the same",
    "narwhals": "the same",
    "flask_bootstrap/static/bootstrap4": "the older Bootstrap",
    "flask_bootstrap/static/bootstrap5/css/bootswatch": "themes",
    "matplotlib/mpl-data/sample_data": "examples",
    "statsmodels/datasets/*/*.csv": "examples",
    "sklearn/datasets/data": "examples",
    "sklearn/datasets/images": "examples",
}


def main(folder: Path) -> None:
    """Delete them, and say how much that was."""
    (packages,) = folder.glob("lib/python3*/site-packages")
    before = size(packages)
    for pattern in NEEDLESS:
        for found in sorted(packages.glob(pattern)):
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found)
            elif found.exists() or found.is_symlink():
                found.unlink()
    print(f"Packages: {before} MB, {size(packages)} MB without what never runs")  # noqa: T201


def size(folder: Path) -> int:
    return (
        sum(each.stat().st_size for each in folder.rglob("*") if each.is_file() and not each.is_symlink()) // 1_000_000
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
