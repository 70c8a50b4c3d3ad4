"""What is written beside the weights: model.json for the program, card.md for the reader."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tasks.ecg.training import figures
from tasks.ecg.training.inter import EPOCHS, SEEDS, SURE, Calibration, Judged
from tasks.ecg.training.intra import SEED, Intra
from tasks.ecg.training.labels import AAMI, CLASSES
from tasks.ecg.training.mitdb import DS1, DS2, PACED_TRAINED
from tasks.ecg.training.network import FILTERS


def summary(counts: figures.Counts, names: tuple[str, ...]) -> dict[str, Any]:
    """One protocol's figures, rounded as they are printed."""
    rows = figures.by_class(counts)
    classes = {
        name: {
            "beats": int(counts[i].sum()),
            "sensitivity": _r(rows[0][i]),
            "ppv": _r(rows[1][i]),
            "f1": _r(rows[2][i]),
        }
        for i, name in enumerate(names)
    }
    return {
        "beats": int(counts.sum()),
        "accuracy": _r(figures.accuracy(counts)),
        "kappa": _r(figures.kappa(counts)),
        "always_normal": _r(counts[0].sum() / counts.sum()),
        "classes": classes,
        "confusion": counts.tolist(),
    }


def intra_figures(measured: Intra) -> dict[str, Any]:
    return summary(measured.counts, CLASSES) | {"beats_in_all": measured.beats, "seed": SEED}


def told(intra: dict[str, Any], how: Calibration, judged: Judged, uses: dict[str, dict[str, float]]) -> dict[str, Any]:
    """All figures, as model.json keeps them and card.md prints them."""
    inter = summary(judged.aami, AAMI) | {"j_kappa": _r(figures.j_kappa(judged.aami))}
    return {
        "intra": intra,
        "inter": inter,
        "inter_8_classes": summary(judged.eight, CLASSES),
        "held_out_of_ds1": summary(how.held_out, AAMI) | {"j_kappa": _r(figures.j_kappa(how.held_out))},
        "served": {"coverage": _r(judged.coverage), "accuracy_of_said": _r(judged.accuracy_of_said)},
        "uses": uses,
    }


def write(folder: Path, version: str, how: Calibration, numbers: dict[str, Any]) -> None:
    """model.json and card.md."""
    model = {
        "version": version,
        "classes": list(CLASSES),
        "temperature": round(how.temperature, 6),
        "bias": [round(float(value), 6) for value in how.bias],
        "threshold": round(how.threshold, 6),
        "figures": numbers,
    }
    (folder / "model.json").write_text(json.dumps(model, indent=1) + "\n", "utf-8")
    (folder / "card.md").write_text(card(version, how, numbers), "utf-8")


def card(version: str, how: Calibration, numbers: dict[str, Any]) -> str:
    """The model card."""
    template = (Path(__file__).parent / "card_template.md").read_text("utf-8")
    inter, held = numbers["inter"], numbers["held_out_of_ds1"]
    return template.format(
        version=version,
        ds1=" ".join(DS1),
        ds2=" ".join(DS2),
        paced=" and ".join(PACED_TRAINED),
        filters=", ".join(map(str, FILTERS)),
        nets=len(SEEDS),
        epochs=EPOCHS,
        temperature=f"{how.temperature:.2f}",
        threshold=f"{how.threshold:.2f}",
        sure=f"{SURE:.0%}",
        intra=_headline(numbers["intra"]),
        intra_table=table(numbers["intra"]),
        inter=_headline(inter),
        j_kappa=f"{inter['j_kappa']:.3f}",
        inter_table=table(inter),
        eight=_headline(numbers["inter_8_classes"]),
        eight_table=table(numbers["inter_8_classes"]),
        held=_headline(held),
        held_table=table(held),
        coverage=f"{numbers['served']['coverage']:.1%}",
        uses_table=uses_table(numbers["uses"]),
        said=f"{numbers['served']['accuracy_of_said']:.1%}",
    )


def table(numbers: dict[str, Any]) -> str:
    """Figures by class with the confusion matrix beside them (rows: truth)."""
    names = list(numbers["classes"])
    head = "| truth | beats | sensitivity | +P | F1 | " + " | ".join(f"said {name}" for name in names) + " |"
    lines = [head, "|---|" + "--:|" * (4 + len(names))]
    for name, row in zip(names, numbers["confusion"], strict=True):
        one = numbers["classes"][name]
        shares = f"{one['sensitivity']:.3f} | {one['ppv']:.3f} | {one['f1']:.3f}"
        lines.append(f"| {name} | {one['beats']} | {shares} | " + " | ".join(map(str, row)) + " |")
    return "\n".join(lines)


def uses_table(uses: dict[str, dict[str, float]]) -> str:
    """One row for each way of use."""
    lines = ["| read from | beats | accuracy | F1 S | F1 V | given a class | of those right |", "|---|" + "--:|" * 6]
    for name, one in uses.items():
        shares = " | ".join(f"{one[key]:.3f}" for key in ("accuracy", "f1_s", "f1_v", "coverage", "accuracy_of_said"))
        lines.append(f"| {name} | {one['beats']:.0f} | {shares} |")
    return "\n".join(lines)


def _headline(numbers: dict[str, Any]) -> str:
    return (
        f"accuracy {numbers['accuracy']:.4f}, κ {numbers['kappa']:.3f} on {numbers['beats']:,} beats "
        f"(always normal: {numbers['always_normal']:.4f})"
    )


def _r(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)
