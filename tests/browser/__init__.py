"""The pages in a real browser. Its tests are skipped where Debian's Chromium is missing, but never in CI."""

import os
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
missing = pytest.mark.skipif(
    not CHROMIUM.exists() and not os.environ.get("CI"), reason="needs Debian's chromium: apt-get install chromium"
)
