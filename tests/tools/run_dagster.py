"""dagster-dbt builds a project with the `dbt` that is first on PATH, and sees every model, seed and test.

    python run_dagster.py PROJECT_DIR
"""

import sys
from pathlib import Path

from dagster import AssetExecutionContext, materialize
from dagster_dbt import DbtCliResource, dbt_assets

project = Path(sys.argv[1]).resolve()
dbt = DbtCliResource(project_dir=str(project), profiles_dir=str(project))
manifest = dbt.cli(["parse"], target_path=project / "target").wait().target_path / "manifest.json"


@dbt_assets(manifest=manifest)
def models(context: AssetExecutionContext, dbt: DbtCliResource):
    yield from dbt.cli(["build"], context=context).stream()


result = materialize([models], resources={"dbt": dbt})
assert result.success
built = {event.asset_key.path[-1] for event in result.get_asset_materialization_events()}
checks = {check.check_name for check in result.get_asset_check_evaluations() if check.passed}
assert built == {"raw_orders", "orders", "totals"}, built
assert checks == {"unique_orders_id", "not_null_totals_id"}, checks
