"""dbt-artifacts-parser reads every artifact into its classes, which refuse what they do not know.

    python load_artifacts.py TARGET_DIR
"""

import json
import sys
from pathlib import Path

from dbt_artifacts_parser.parser import parse_catalog, parse_manifest, parse_run_results, parse_sources

target = Path(sys.argv[1])


def read(name):
    return json.loads((target / f"{name}.json").read_text())


manifest = parse_manifest(read("manifest"))
assert type(manifest).__name__ == "ManifestV12", type(manifest)
assert {"model.shop.orders", "model.shop.totals", "seed.shop.raw_orders"} <= set(manifest.nodes)
results = parse_run_results(read("run_results"))
assert type(results).__name__ == "RunResultsV6" and results.results, type(results)
catalog = parse_catalog(read("catalog"))
assert catalog.nodes["model.shop.totals"].columns["total"].type == "HUGEINT", catalog.nodes
sources = parse_sources(read("sources"))
assert [result.unique_id for result in sources.results] == ["source.shop.raw.visits"], sources.results
