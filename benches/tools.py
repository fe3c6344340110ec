"""The programs that rbt is measured beside, each in a virtual environment of its own."""

import subprocess
import sys
from pathlib import Path

DBT_CORE = ["dbt-core==1.11.*", "dbt-duckdb==1.11.*", "duckdb==1.5.5"]
DBT_V2 = ["dbt-core==2.0.0a4"]
V2_ENV = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_ENGINE_BETA_PARSING": "1"}
CORE_ENV = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def environment(folder: Path, requirements: list[str]) -> Path:
    """The `dbt` of a virtual environment, which is made if it is not there."""
    program = folder / "bin/dbt"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", *requirements], check=True)
    return program


def dbt_core(folder: Path) -> Path:
    return environment(folder, DBT_CORE)


def dbt_v2(folder: Path, library: Path) -> Path:
    """dbt Core v2 looks for DuckDB's driver in `lib` beside its `bin`."""
    program = environment(folder, DBT_V2)
    driver = folder / "lib/libduckdb.so"
    if not driver.exists():
        driver.symlink_to(library)
    return program
