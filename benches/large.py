"""A project of few nodes with many rows: a seed, a snapshot and an incremental model."""

from dataclasses import dataclass
from pathlib import Path

from projects import PROFILES, write

ROWS = 1_000_000
FACTS = 10_000_000

CURRENT = f"""\
{{% set changed = var('day', 0) %}}
select
    i as id,
    'customer ' || (i % 1000) as customer,
    case when i % 100 = 7 then {{{{ changed }}}} else 0 end as amount,
    timestamp '2024-01-01' + to_days(case when i % 100 = 7 then {{{{ changed }}}} else 0 end) as updated_at
from range({ROWS}) as t(i)
"""

SNAPSHOT = """\
{% snapshot history %}
{{ config(unique_key='id', strategy='timestamp', updated_at='updated_at', target_schema='main') }}
select * from {{ ref('current') }}
{% endsnapshot %}
"""

CHANGES = f"select i * 100 as id, i as amount, 'changed' as note from range({FACTS // 100}) as t(i)"

FACTS_SQL = f"""\
{{{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}}}
{{% if is_incremental() %}}
{CHANGES}
{{% else %}}
select i as id, i as amount, 'first' as note from range({FACTS}) as t(i)
{{% endif %}}
"""


def generate(folder: Path) -> None:
    """Writes the project, and beside it what a person would write in the place of each task."""
    write(folder / "dbt_project.yml", 'name: large\nversion: "1.0"\nprofile: bench\nmodels:\n  +materialized: table\n')
    write(folder / "profiles.yml", PROFILES.format(threads=1))
    rows = "".join(f"{row},customer {row % 1000},{row % 977},2024-01-{row % 28 + 1:02}\n" for row in range(ROWS))
    write(folder / "seeds/big.csv", f"id,customer,amount,day\n{rows}")
    write(folder / "models/current.sql", CURRENT)
    write(folder / "models/facts.sql", FACTS_SQL)
    write(folder / "snapshots/history.sql", SNAPSHOT)
    for name, task in TASKS.items():
        write(folder / by_hand(name), task.by_hand)


def by_hand(name: str) -> str:
    """The file of what a person would write."""
    return f"by_hand/{name.replace(' ', '_')}.sql"


@dataclass
class Task:
    """What is measured: what rbt builds before, its command, and what a person would write to the same end."""

    before: list[list[str]]
    words: list[str]
    by_hand: str


TASKS = {
    "seed of 1,000,000 rows": Task(
        [],
        ["seed"],
        """\
create table main.big as from read_csv('seeds/big.csv', types = {
    'id': 'integer', 'customer': 'text', 'amount': 'integer', 'day': 'date'
});
""",
    ),
    "snapshot of 1,000,000 rows, 1% changed": Task(
        [["run", "-s", "current"], ["snapshot"], ["run", "-s", "current", "--vars", "day: 1"]],
        ["snapshot", "--vars", "day: 1"],
        """\
create temp table changed as
select now_.*, history.dbt_scd_id as old_id
from main.current as now_
left join main.history on history.id = now_.id and history.dbt_valid_to is null
where history.id is null or history.dbt_valid_from < now_.updated_at;
begin;
update main.history set dbt_valid_to = changed.updated_at from changed where history.dbt_scd_id = changed.old_id;
insert into main.history
select
    * exclude (old_id), md5(id::varchar || '|' || updated_at::varchar), updated_at, updated_at, null
from changed;
commit;
""",
    ),
    "merge of 1% into 10,000,000 rows": Task(
        [["run", "-s", "facts"]],
        ["run", "-s", "facts"],
        f"""\
merge into main.facts using ({CHANGES}) as changes on facts.id = changes.id
when matched then update
when not matched then insert;
""",
    ),
}
