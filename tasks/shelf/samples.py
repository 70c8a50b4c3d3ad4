"""Makes the samples: `python -m tasks.shelf.samples` draws them anew, always the same."""

import json
from pathlib import Path

import cv2

from tasks.inventory.barcodes import check_digit
from tasks.shelf.drawing import View, shelf

FOLDER = Path(__file__).parent / "sample"


def codes(count: int) -> list[str]:
    """Codes of a range that GS1 keeps for use inside shops (20 to 29), so they are nobody's."""
    bare = [f"20{number:010d}" for number in range(1001, 1001 + count)]
    return [f"{each}{check_digit(each)}" for each in bare]


def make(folder: Path) -> None:
    """Two photos and samples.json."""
    pictures = {
        "shelf.jpg": (shelf(codes(18), 6, 2.0, View(turned=2, aside=0.1, blur=0.6, noise=3)), 60),
        "label.jpg": (shelf(codes(1), 1, 4.0, View(turned=12, blur=0.8, noise=3)), 60),
    }
    for name, (image, quality) in pictures.items():
        cv2.imwrite(str(folder / name), image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    samples = [
        {
            "title": "A shelf of 18 boxes (drawn)",
            "description": "Small labels, the phone a little turned and to the side.",
            "files": ["shelf.jpg"],
        },
        {
            "title": "One label (drawn)",
            "description": "A barcode near by, turned.",
            "files": ["label.jpg"],
        },
    ]
    (folder / "samples.json").write_text(json.dumps(samples, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(FOLDER)
