"""astronomer-cosmos makes DAGs of a project, by its manifest and by `dbt ls`, and a real Airflow runs them.

    python run_cosmos.py PROJECT_DIR DBT_EXECUTABLE
"""

import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path

project, dbt = Path(sys.argv[1]).resolve(), str(Path(sys.argv[2]).absolute())
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__COSMOS__ENABLE_CACHE"] = "False"

from airflow.utils import db  # noqa: E402
from cosmos import DbtDag, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig  # noqa: E402
from cosmos.constants import LoadMode  # noqa: E402

db.initdb()
profile = ProfileConfig(
    profile_name="shop", target_name="dev", profiles_yml_filepath=project / "profiles.yml"
)


def shop_dag(mode: LoadMode, **config) -> DbtDag:
    return DbtDag(
        dag_id=f"shop_{mode.value}",
        schedule=None,
        start_date=datetime(2024, 1, 1),
        project_config=ProjectConfig(**config),
        profile_config=profile,
        execution_config=ExecutionConfig(dbt_executable_path=dbt, dbt_project_path=project),
        render_config=RenderConfig(
            load_method=mode, dbt_project_path=project, dbt_executable_path=dbt, emit_datasets=False
        ),
        operator_args={"install_deps": False},
    )


wanted = {"raw_orders_seed", "orders.run", "orders.test", "totals.run", "totals.test"}
for dag in (
    shop_dag(
        LoadMode.DBT_MANIFEST, manifest_path=project / "target" / "manifest.json", project_name="shop"
    ),
    shop_dag(LoadMode.DBT_LS),
):
    assert set(dag.task_ids) == wanted, dag.task_ids
    run = dag.test()
    assert run.state == "success", (dag.dag_id, run.state)
