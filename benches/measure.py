"""Runs programs and says what they cost: seconds, processor seconds, memory."""

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Cost:
    seconds: float
    cpu: float
    megabytes: float


def run(command: list[str], folder: Path, env: dict[str, str] | None = None) -> Cost:
    """One run of a whole process. A program that fails ends the measurement."""
    log = folder / "measured.log"
    with log.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} in {folder}:\n{log.read_text()[-3000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(costs: list[Cost]) -> Cost:
    """The median of each measure; of memory the largest."""
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.megabytes for cost in costs),
    )


@dataclass
class Contender:
    """A way of doing the work: what is done before each run (and not measured), and the run."""

    name: str
    prepare: object
    command: list[str]
    folder: Path
    env: dict[str, str] | None = None
    rounds: int | None = None


def compare(contenders: list[Contender], rounds: int) -> dict[str, Cost]:
    """Runs the contenders in turn (A B A B …), so that what disturbs the machine disturbs all alike."""
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in contenders}
    for index in range(rounds):
        for contender in contenders:
            if index < (contender.rounds or rounds):
                contender.prepare()
                costs[contender.name].append(run(contender.command, contender.folder, contender.env))
    return {name: median(found) for name, found in costs.items()}
