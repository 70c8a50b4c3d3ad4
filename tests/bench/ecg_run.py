"""`python -m tests.bench.ecg_run`: the whole ECG job as a worker does it, once warm, and the memory of its process.

The job runs in a process of its own on the samples: reading, R peaks, classes, drawings, PDF, everything it leaves. The
peer does the strip the way student projects do: a matplotlib figure and a call of the network for each beat.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.bench.figures import quantile, table, write

ROUNDS = 7
WORKER = f"""
import json, sys, tempfile, time
from pathlib import Path
from tasks import discover
from tasks.context import Context
from tasks.ecg import job as ecg
from tasks.ecg import reading

def memory(name):
    line = next(line for line in open("/proc/self/status") if line.startswith(name))
    return int(line.split()[1]) // 1024

class Files(Context):
    def paths(self, names):
        return [Path(ecg.__file__).parent / "sample" / name for name in names]

from models.session import Database
from tasks.storage import FolderStorage
took = {{}}
with tempfile.TemporaryDirectory() as folder:
    for name in ("strip.png", "page.png", "photo.jpg"):
        took[name] = []
        for _ in range({ROUNDS}):
            started = time.perf_counter()
            with Files(Database("sqlite://"), FolderStorage(Path(folder)), "bench") as ctx:
                ecg.run(ecg.EcgParams(files=[name]), ctx)
            took[name].append(time.perf_counter() - started)
    started = time.perf_counter()
    asked = ecg.EcgParams(files=["strip.png"])
    record = reading.read([Path(ecg.__file__).parent / "sample" / "strip.png"], asked)
    found = reading.assess(record, reading.choose_lead(record, ""))
    import numpy as np
    for beat in found.beats:
        reading.Reading(record, found.lead, [beat], found.rhythm, found.quality).strip_png()
        reading.classify.classify(found.signal, found.rate, np.array([beat.sample]))
    peer = time.perf_counter() - started
print(json.dumps({{"took": took, "peer": peer, "rss_mb": memory("VmRSS"), "peak_mb": memory("VmHWM")}}))
"""


def main() -> None:
    """Measure and tell."""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", WORKER], cwd=root, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    warm = {name: quantile(times[1:], 0.5) for name, times in told["took"].items()}
    table(
        f"The ECG job whole, median of {ROUNDS - 1} warm rounds",
        [
            ("a 10 s strip picture, s", f"{warm['strip.png']:.2f} s", "under 3 s"),
            (
                "  a figure and a call for each beat",
                f"{told['peer']:.2f} s",
                f"{told['peer'] / warm['strip.png']:.1f} times",
            ),
            ("a clean page", f"{warm['page.png']:.2f} s", ""),
            ("a photo of a page", f"{warm['photo.jpg']:.2f} s", ""),
            ("the first reading of a fresh process", f"{told['took']['strip.png'][0]:.2f} s", ""),
            ("memory of the process, network loaded", f"{told['rss_mb']} MB", "under 400 MB"),
            ("  at its peak", f"{told['peak_mb']} MB", ""),
        ],
    )
    figures = {"strip_s": warm["strip.png"], "page_s": warm["page.png"], "photo_s": warm["photo.jpg"]}
    figures |= {"peer_strip_s": told["peer"], "rss_mb": told["rss_mb"], "peak_rss_mb": told["peak_mb"]}
    write("ecg_run", figures, ["onnxruntime", "opencv-python-headless", "sleepecg", "matplotlib"])


if __name__ == "__main__":
    main()
