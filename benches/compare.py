#!/usr/bin/env python3
"""Measures rbt beside dbt-core, dbt Core v2 and the floor, on projects that it generates; prints a table.

    cargo build --release && cargo bench --no-run
    benches/compare.py --rbt target/release/rbt

`--only` picks measurements by words of their names, `--work` keeps the projects and virtual environments.
"""

import argparse
import os
import shutil
import subprocess
import time
from pathlib import Path

import large
import tools
from measure import Contender, Cost, compare
from projects import generate

LEFTOVERS = ["target", "logs", "bench.duckdb", "bench.duckdb.wal", "floor.duckdb"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rbt", type=Path, default=Path("target/release/rbt"), help="the program to measure")
    parser.add_argument("--floor", type=Path, help="the program benches/floor.rs (found beside rbt by default)")
    parser.add_argument("--library", type=Path, help="libduckdb.so (found in DUCKDB_LIB_DIR or beside rbt by default)")
    parser.add_argument("--work", type=Path, default=Path("target/bench"), help="where projects and tools are kept")
    parser.add_argument("--core", type=Path, help="a virtual environment that has dbt-core and dbt-duckdb already")
    parser.add_argument("--v2", type=Path, help="a virtual environment that has dbt Core v2 already")
    parser.add_argument("--without", nargs="*", default=[], choices=["core", "v2"], help="leave these out")
    parser.add_argument("--only", nargs="*", default=[], help="measurements whose name contains one of these")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core-rounds", type=int, default=2, help="dbt-core takes minutes")
    return parser.parse_args()


class Bench:
    """What a session of measurements has in common."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.rbt = options.rbt.resolve()
        self.work = options.work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.floor = options.floor or newest(self.rbt.parent / "deps", "floor-*")
        library = options.library or Path(os.environ.get("DUCKDB_LIB_DIR", self.rbt.parent)) / "libduckdb.so"
        self.core = None if "core" in options.without else tools.dbt_core(options.core or self.work / "dbt-core")
        self.v2 = None if "v2" in options.without else tools.dbt_v2(options.v2 or self.work / "dbt-v2", library.resolve())
        self.rows: list[tuple[str, str, Cost, float]] = []

    def wanted(self, name: str) -> bool:
        return not self.options.only or any(word in name for word in self.options.only)

    def project(self, tool: str, models: int) -> Path:
        """A project of this size for one tool alone, generated once."""
        folder = self.work / "projects" / f"{tool}-{models}"
        if not folder.exists():
            generate(folder, models)
        return folder

    def contenders(self, models: int, command: list[str], fresh: bool, with_core: bool = True) -> list[Contender]:
        """All programs with the same command, each on a project of its own; `fresh` without what runs left behind."""
        found = []
        for name, program, env, rounds in [
            ("rbt", self.rbt, {}, None),
            ("dbt Core v2", self.v2, tools.V2_ENV, None),
            ("dbt-core", self.core if with_core else None, tools.CORE_ENV, self.options.core_rounds),
        ]:
            if program is None:
                continue
            folder = self.project(name.replace(" ", "-"), models)
            words = [str(program), *command]
            if command != ["--version"]:
                words += ["--profiles-dir", "."]
            prepare = (lambda folder=folder: clean(folder)) if fresh else (lambda: None)
            if not fresh:
                subprocess.run(words, cwd=folder, env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
            found.append(Contender(name, prepare, words, folder, env, rounds))
        return found

    def measure(self, name: str, contenders: list[Contender]) -> dict[str, Cost]:
        """Measures, keeps the results for the table, and shows them."""
        costs = compare(contenders, self.options.rounds)
        ours = costs["rbt"].seconds
        for who, cost in costs.items():
            self.rows.append((name, who, cost, cost.seconds / ours))
            print(row(*self.rows[-1]), flush=True)
        return costs


def newest(folder: Path, pattern: str) -> Path | None:
    programs = [path for path in folder.glob(pattern) if path.suffix == "" and os.access(path, os.X_OK)]
    return max(programs, key=lambda path: path.stat().st_mtime, default=None)


def clean(folder: Path) -> None:
    """Takes away what a run left. Folders are moved out of the way and go at the end: some file systems are slow to make
    files for half a minute after thousands were deleted, which would be measured."""
    aside = folder.parent / "aside"
    aside.mkdir(exist_ok=True)
    for name in LEFTOVERS:
        path = folder / name
        path.rename(aside / f"{time.time_ns()}") if path.is_dir() else path.unlink(missing_ok=True)


def row(name: str, who: str, cost: Cost, ratio: float) -> str:
    return f"| {name} | {who} | {cost.seconds:.3f} | {cost.cpu:.3f} | {cost.megabytes:.0f} | {ratio:.2f} |"


def start_up(bench: Bench) -> None:
    if bench.wanted("start-up"):
        bench.measure("start-up", bench.contenders(30, ["--version"], fresh=False))
    if bench.wanted("ls of 30 models"):
        bench.measure("ls of 30 models", bench.contenders(30, ["ls"], fresh=True))


def parsing(bench: Bench) -> None:
    for models in (100, 1_000, 10_000):
        with_core = models < 10_000
        name = f"cold parse of {models:,} models"
        if bench.wanted(name):
            bench.measure(name, bench.contenders(models, ["parse"], fresh=True, with_core=with_core))
    for words in (["parse"], ["ls"], ["compile", "--select", "model_00042"]):
        for models in (1_000, 10_000):
            name = f"second {words[0]} of {models:,} models"
            if bench.wanted(name):
                bench.measure(name, bench.contenders(models, words, fresh=False, with_core=models < 10_000))


def building(bench: Bench) -> None:
    for models in (100, 1_000, 10_000):
        name = f"build of {models:,} models"
        if not bench.wanted(name):
            continue
        contenders = bench.contenders(models, ["build"], fresh=True, with_core=models < 10_000)
        ours = contenders[0]
        # What rbt sent is read from the project that it built last.
        words = [str(bench.floor), ".", "4"]
        contenders.insert(1, Contender("floor", lambda: None, words, ours.folder))
        bench.measure(name, contenders)


def many_rows(bench: Bench) -> None:
    names = [name for name in large.TASKS if bench.wanted(name)]
    if not names:
        return
    folder = bench.work / "projects/large"
    if not folder.exists():
        large.generate(folder)
    rbt = [str(bench.rbt)]
    database, base = folder / "bench.duckdb", folder / "base.duckdb"
    for name in names:
        task = large.TASKS[name]
        clean(folder)
        for step in task.before:
            subprocess.run([*rbt, *step, "--profiles-dir", "."], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        database.exists() and shutil.copy(database, base)

        def restore(base=base if task.before else None) -> None:
            database.unlink(missing_ok=True)
            if base:
                shutil.copy(base, database)

        bench.measure(
            name,
            [
                Contender("rbt", restore, [*rbt, *task.words, "--profiles-dir", "."], folder),
                Contender("by hand", restore, [str(bench.floor), large.by_hand(name), "bench.duckdb"], folder),
            ],
        )


def main() -> None:
    bench = Bench(arguments())
    print("| what | who | seconds | CPU seconds | MB | seconds to rbt's |\n|---|---|---:|---:|---:|---:|")
    for part in (start_up, parsing, building, many_rows):
        part(bench)
    shutil.rmtree(bench.work / "projects/aside", ignore_errors=True)


if __name__ == "__main__":
    main()
