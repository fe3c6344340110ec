"""A project of few nodes with many rows: a seed, a snapshot and an incremental model."""

from pathlib import Path

from projects import PROFILES, write

ROWS = 1_000_000
FACTS = 10_000_000

CURRENT = """\
select
    i as id,
    'customer ' || (i % 1000) as customer,
    case when i % 100 = 7 then {{ var('day', 0) }} else 0 end as amount,
    timestamp '2024-01-01' + to_days(case when i % 100 = 7 then {{ var('day', 0) }} else 0 end) as updated_at
from range(%d) as t(i)
"""

SNAPSHOT = """\
{% snapshot history %}
{{ config(unique_key='id', strategy='timestamp', updated_at='updated_at', target_schema='main') }}
select * from {{ ref('current') }}
{% endsnapshot %}
"""

FACTS_SQL = """\
{{{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}}}
{{% if is_incremental() %}}
select i * 100 as id, i as amount, 'changed' as note from range({part}) as t(i)
{{% else %}}
select i as id, i as amount, 'first' as note from range({all}) as t(i)
{{% endif %}}
"""


def generate(folder: Path) -> None:
    """Writes the project. Its profile lets DuckDB write down every statement, for the replay by hand."""
    write(folder / "dbt_project.yml", 'name: large\nversion: "1.0"\nprofile: bench\nmodels:\n  +materialized: table\n')
    profile = PROFILES.format(threads=1)
    write(folder / "profiles.yml", profile)
    write(folder / "logged/profiles.yml", profile + "      settings:\n        log_query_path: sent.sql\n")
    rows = "".join(f"{row},customer {row % 1000},{row % 977},2024-01-{row % 28 + 1:02}\n" for row in range(ROWS))
    write(folder / "seeds/big.csv", f"id,customer,amount,day\n{rows}")
    write(folder / "models/current.sql", CURRENT % ROWS)
    write(folder / "models/facts.sql", FACTS_SQL.format(all=FACTS, part=FACTS // 100))
    write(folder / "snapshots/history.sql", SNAPSHOT)


# What is measured: its name, what is built before, and the command.
TASKS = {
    "seed of 1,000,000 rows": ([], ["seed"]),
    "snapshot of 1,000,000 rows, 1% changed": (
        [["run", "-s", "current"], ["snapshot"], ["run", "-s", "current", "--vars", "day: 1"]],
        ["snapshot", "--vars", "day: 1"],
    ),
    "merge of 1% into 10,000,000 rows": ([["run", "-s", "facts"]], ["run", "-s", "facts"]),
}
