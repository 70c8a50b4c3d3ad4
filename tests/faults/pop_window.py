"""Fault 2: a worker dies when the broker gave a message away and nobody has noted it yet; the message is gone."""

import sys

from tests.faults.processes import Process
from tests.faults.stage import Stage, Verdict

NURSERIES = 2
OUT = 12  # runs that wait at a time: few, so that a message that is popped stands for a run that nobody did yet
COMMAND = (sys.executable, "-m", "tests.faults.pop_failpoint")


def run(stage: Stage) -> Verdict:
    """200 deaths in the window; the run of each must go again."""
    wanted, lives = stage.size(200), stage.folder / "lives.txt"
    lives.touch()
    stage.beat()
    nurseries = [_nursery(stage, number) for number in range(NURSERIES)]
    in_time = stage.until(lambda: _feed(stage) and len(_deaths(stage)) >= wanted, 240, 0.05)
    for nursery in nurseries:
        nursery.kill()
        _kill_tree(nursery)
    deaths = _deaths(stage)
    stage.worker("last").until_ready()
    complaints = [] if in_time else [f"only {len(deaths)} deaths in the window in time"]
    complaints += [] if stage.settles(120) else ["it did not settle within 120 s of the last death"]
    recovered, stuck = _recovered(stage, deaths)
    complaints += [f"{stuck} of {len(deaths)} runs never went again"] if stuck else []
    figures = {"deaths": len(lives.read_text().splitlines()), "in_the_window": len(deaths), "again": len(recovered)}
    size = {"deaths": wanted}
    return stage.verdict(2, "kill in the pop window", size, complaints, recovered=recovered, figures=figures)


def _nursery(stage: Stage, number: int) -> Process:
    command = [*COMMAND, str(stage.folder / "lives.txt"), str(stage.seed * 10 + number)]
    started = Process(f"nursery{number}", command, stage.environment, stage.folder / f"nursery{number}.log")
    stage.processes.append(started)
    return started


def _kill_tree(nursery: Process) -> None:
    """Its worker leads a group of its own; who is left is found by what it was started as."""
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "tests.faults.pop_failpoint" in words and str(nursery.log.parent / "lives.txt") in words:
            process.kill()


def _feed(stage: Stage) -> bool:
    """A few runs wait at any time."""
    short = OUT - stage.states()["queued"]
    if short > 0:
        stage.submit(short, batch=short, milliseconds=1)
    return True


def _deaths(stage: Stage) -> list[tuple[str, float]]:
    """(run, when) of those deaths whose message was the run's only hope: nobody worked on it then, or had done so."""
    lines = [line.split() for line in (stage.folder / "lives.txt").read_text().splitlines()]
    starts = _starts(stage)
    ours = [(one, at) for one, at in lines if one in stage.accepted]  # a canary's message may be lost as well
    return [(one, float(at)) for one, at in ours if not any(start <= float(at) for start in starts.get(one, ()))]


def _starts(stage: Stage) -> dict[str, list[float]]:
    """When work on each run began, as its job itself noted it."""
    starts: dict[str, list[float]] = {}
    if stage.starts_file.exists():
        for one, _attempt, at, _pid in (line.split() for line in stage.starts_file.read_text().splitlines()):
            starts.setdefault(one, []).append(int(at) / 1000)
    return starts


def _recovered(stage: Stage, deaths: list[tuple[str, float]]) -> tuple[list[float], int]:
    """Seconds from each death until the run came to a worker again, or to one that died too; how many never started."""
    starts = _starts(stage)
    again = {one: sorted([*starts.get(one, ()), *(at for other, at in deaths if other == one)]) for one, _ in deaths}
    waits = [next((at - died for at in again[one] if at > died), None) for one, died in deaths]
    stuck = sum(not any(at >= died for at in starts.get(one, ())) for one, died in deaths)
    return [wait for wait in waits if wait is not None], stuck
