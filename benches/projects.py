"""Makes dbt projects of any size for measurements; the same size always gives the same files."""

import random
import shutil
from pathlib import Path

SEEDS = 10
SEED_ROWS = 100
MODELS_PER_FOLDER = 20

PROJECT = """\
name: bench
version: "1.0"
profile: bench
model-paths: [models]
seed-paths: [seeds]
macro-paths: [macros]
models:
  bench:
    +materialized: table
    layer_0:
      +tags: [staging]
vars:
  rate: 2
"""

PROFILES = """\
bench:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: bench.duckdb
      threads: {threads}
"""

MACROS = {
    "cents": "{% macro cents(column, digits=2) %}round({{ column }} / 100.0, {{ digits }}){% endmacro %}\n",
    "bucket": """\
{% macro bucket(column, edges) -%}
case
{%- for edge in edges %}
    when {{ column }} < {{ edge }} then {{ loop.index0 }}
{%- endfor %}
    else {{ edges | length }}
end
{%- endmacro %}
""",
}

PACKAGE_MACRO = """\
{% macro rated(column) %}({{ column }} * {{ var('rate', 1) }}){% endmacro %}

{% macro labelled(column, prefix='n') %}'{{ prefix }}' || cast({{ column }} as varchar){% endmacro %}
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def model_sql(index: int, parents: list[str]) -> str:
    """A model that joins its parents and calls macros of the project and of a package."""
    joins = "".join(
        f"left join {{{{ ref('{parent}') }}}} as p{number} on p{number}.id = base.id\n"
        for number, parent in enumerate(parents[1:], 1)
    )
    return f"""\
{{{{ config(tags=['t{index % 7}'], meta={{'number': {index}}}) }}}}

with base as (
    select * from {{{{ ref('{parents[0]}') }}}}
)

select
    base.id,
    base.amount + {index % 5} as amount,
    {{{{ cents('base.amount') }}}} as dollars,
    {{{{ bucket('base.amount', [100, 1000, 5000]) }}}} as bucket,
    {{{{ bench_utils.rated('base.id') }}}} as rated,
    {{{{ bench_utils.labelled('base.id', prefix='m{index}') }}}} as label
from base
{joins}"""


def properties(names: list[str]) -> str:
    """The YAML of a folder: every model with a description, columns and two tests."""
    entries = "".join(
        f"""\
  - name: {name}
    description: "What {name} holds, one row for each id."
    columns:
      - name: id
        description: "The key of {name}."
        data_tests:
          - unique
          - not_null
      - name: amount
        description: "An amount in cents."
      - name: label
"""
        for name in names
    )
    return f"version: 2\n\nmodels:\n{entries}"


def generate(folder: Path, models: int, threads: int = 4) -> None:
    """Writes a project of so many table models in layers, with two tests each, ten seeds and a package."""
    shutil.rmtree(folder, ignore_errors=True)
    rand = random.Random(models)
    write(folder / "dbt_project.yml", PROJECT)
    write(folder / "profiles.yml", PROFILES.format(threads=threads))
    for name, text in MACROS.items():
        write(folder / f"macros/{name}.sql", text)
    write(folder / "packages.yml", "packages:\n  - local: packages/bench_utils\n")
    for place in ("packages/bench_utils", "dbt_packages/bench_utils"):
        write(folder / place / "dbt_project.yml", 'name: bench_utils\nversion: "1.0"\nmacro-paths: [macros]\n')
        write(folder / place / "macros/utils.sql", PACKAGE_MACRO)
    for seed in range(SEEDS):
        rows = "".join(f"{row},{rand.randrange(10_000)}\n" for row in range(SEED_ROWS))
        write(folder / f"seeds/raw_{seed}.csv", f"id,amount\n{rows}")
    layers = 10
    size = max(1, models // layers)
    below = [f"raw_{seed}" for seed in range(SEEDS)]
    made: list[str] = []
    while len(made) < models:
        layer = min(len(made) // size, layers - 1)
        names = [f"model_{number:05}" for number in range(len(made), min(len(made) + size, models))]
        for start in range(0, len(names), MODELS_PER_FOLDER):
            group = names[start : start + MODELS_PER_FOLDER]
            place = folder / f"models/layer_{layer}/group_{start // MODELS_PER_FOLDER:03}"
            for name in group:
                parents = rand.sample(below, k=rand.randint(1, 3))
                write(place / f"{name}.sql", model_sql(int(name[-5:]), parents))
            write(place / "_models.yml", properties(group))
        below = names if len(names) > 2 else below
        made += names
