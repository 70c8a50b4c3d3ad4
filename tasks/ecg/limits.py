"""How much of a recording is read: bounds that keep a worker within its memory, and units and lead names in common."""

import re

from tasks.errors import JobError

MIN_RATE, MAX_RATE = 80.0, 10_000.0
MIN_SECONDS, MAX_SECONDS = 2.0, 7200.0
MAX_LEADS = 16
MAX_SAMPLES = 20_000_000

_MILLIVOLTS = {"v": 1000.0, "mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6}
_STANDARD = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9")
_OTHERS = ("V3R", "V4R", "V5R", "V6R", "MLI", "MLII", "MLIII", "MV1", "MV2", "MV5", "CM5", "CM2", "ES", "AS", "AI")
LEADS = {name.lower(): name for name in (*_STANDARD, *_OTHERS)}
_ECG_WORD = re.compile(r"^[\s_-]*(ecg|ekg|elec|lead|ableitung)[\s_:.-]*|[\s_:.-]*(ecg|ekg)[\s_-]*$", re.IGNORECASE)
_NUMBERED = re.compile(r"\d{0,2}|[ivx]{1,3}", re.IGNORECASE)


def millivolts(unit: str) -> float | None:
    """mV in one of `unit` (V, mV, uV, µV, nV, any case); None when it is no voltage."""
    return _MILLIVOLTS.get(unit.strip().lower())


def lead_name(label: str) -> str | None:
    """The standard name of an ECG channel, or None when the label is not that of an ECG.

    "ECG MLII" → "MLII", "avr" → "aVR", "Lead II" → "II", "EKG" → "ECG", "ECG2" → "ECG 2"; "EEG Fpz-Cz" → None.
    """
    # Cut, so that no pattern can be made slow by what somebody wrote.
    text = label.strip()[:40]
    bare = _ECG_WORD.sub("", text).strip()
    if bare.lower() in LEADS:
        return LEADS[bare.lower()]
    if bare != text and _NUMBERED.fullmatch(bare):
        return f"ECG {bare}".strip()
    return "ECG" if bare != text else None


def check_extent(rate: float, samples: int, leads: int) -> None:
    """Refuse what is too slow, too short, too long or too much to be read.

    Args:
        rate: samples a second.
        samples: in each lead.
        leads: how many.

    Raises:
        JobError: says which bound is passed and what to do.
    """
    if not MIN_RATE <= rate <= MAX_RATE:
        raise JobError(
            f"The sampling rate is {rate:g} per second; between {MIN_RATE:g} and {MAX_RATE:g} is read. "
            "Check the rate, or export the recording again."
        )
    seconds = samples / rate
    if seconds < MIN_SECONDS:
        raise JobError(
            f"The recording lasts {seconds:.1f} s; at least {MIN_SECONDS:g} s are needed. Choose a longer one."
        )
    if seconds > MAX_SECONDS or samples * leads > MAX_SAMPLES:
        raise JobError(
            f"The recording lasts {seconds / 3600:.1f} h; at most {MAX_SECONDS / 3600:g} h and "
            f"{MAX_SAMPLES // 1_000_000} million samples are read. Export a part of it."
        )
    if leads > MAX_LEADS:
        raise JobError(f"The recording has {leads} leads; at most {MAX_LEADS} are read. Export fewer of them.")


def unique(name: str, taken: object) -> str:
    """`name`, or "name (2)" and so on when a lead of that name is there already."""
    number, free = 1, name
    while free in taken:  # type: ignore[operator]
        number += 1
        free = f"{name} ({number})"
    return free
