"""`make bench`: every benchmark, one after the other, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

NAMES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    # These two have targets of their own: `make bench-engine` and `make bench-scans`.
    if path.stem not in ("__init__", "__main__", "figures") and not path.stem.startswith(("engine", "scans"))
)

failed = [
    name for name in NAMES if subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode
]
if failed:
    print(f"\nDid not finish: {', '.join(failed)}")
sys.exit(len(failed))
