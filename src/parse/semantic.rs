//! What metrics and saved queries depend on: the semantic models of their measures, and other metrics
//! (<https://docs.getdbt.com/docs/build/metrics-overview>).

use std::collections::HashMap;

use serde_json::Value as Json;

use super::Parser;
use crate::error::{Error, Location, Result};
use crate::manifest::{DependsOn, Found, Id, Lookup, Manifest, SemanticResource};

/// The semantic model of each measure, by the measure's name.
type Measures = HashMap<String, Id>;

impl Parser<'_> {
    /// Fills the dependencies of metrics and saved queries; those of semantic models are `ref`s like any other.
    pub fn resolve_semantic_layer(&self, manifest: &mut Manifest, lookup: &Lookup, errors: &mut Vec<Error>) {
        let measures = measures(manifest);
        for metric in manifest.metrics.values_mut() {
            match self.metric_dependencies(metric, &measures, lookup) {
                Ok(dependencies) => metric.depends_on = dependencies,
                Err(error) => errors.push(error.at(Location::file(&metric.original_file_path))),
            }
        }
        for query in manifest.saved_queries.values_mut() {
            let metrics = query.fields.get("query_params").and_then(|params| params.get("metrics"));
            let names: Vec<String> =
                metrics.and_then(Json::as_array).into_iter().flatten().filter_map(name_of).collect();
            match self.metrics_named(query, &names, lookup) {
                Ok(dependencies) => query.depends_on = dependencies,
                Err(error) => errors.push(error.at(Location::file(&query.original_file_path))),
            }
        }
    }

    fn metric_dependencies(
        &self,
        metric: &SemanticResource,
        measures: &Measures,
        lookup: &Lookup,
    ) -> Result<DependsOn> {
        let kind = metric.fields.get("type").and_then(Json::as_str).unwrap_or("simple");
        let params = metric.fields.get("type_params");
        let part = |key: &str| params.and_then(|params| params.get(key));
        match kind {
            "ratio" => {
                let names = [part("numerator"), part("denominator")].map(|input| input.and_then(name_of));
                let [Some(numerator), Some(denominator)] = names else {
                    return Err(Error::parsing(
                        "Invalid ratio metric. Both a numerator and denominator must be specified",
                    )
                    .help(format!("name two metrics in the type_params of '{}'", metric.name)));
                };
                self.metrics_named(metric, &[numerator, denominator], lookup)
            }
            "derived" => {
                let inputs = part("metrics").and_then(Json::as_array).into_iter().flatten();
                self.metrics_named(metric, &inputs.filter_map(name_of).collect::<Vec<_>>(), lookup)
            }
            "conversion" => {
                let params = part("conversion_type_params");
                let inputs = ["base_measure", "conversion_measure"]
                    .map(|key| params.and_then(|params| params.get(key)));
                of_measures(metric, inputs.into_iter().flatten(), measures)
            }
            _ => of_measures(metric, part("measure").into_iter(), measures),
        }
    }

    fn metrics_named(
        &self,
        referrer: &SemanticResource,
        names: &[String],
        lookup: &Lookup,
    ) -> Result<DependsOn> {
        let mut dependencies = DependsOn::default();
        for name in names {
            match lookup.resolve_metric(name, None, &self.shared.project_name, &referrer.package_name) {
                Found::Enabled(id) => dependencies.add_node(&id),
                _ => {
                    return Err(Error::parsing(format!(
                        "The metric `{name}` does not exist but was referenced by {} `{}`.",
                        referrer.resource_type.as_str().replace('_', " "),
                        referrer.name
                    ))
                    .help("define it under `metrics:`, and check that it is enabled"));
                }
            }
        }
        Ok(dependencies)
    }
}

/// All measures of the project.
fn measures(manifest: &Manifest) -> Measures {
    let mut measures = Measures::new();
    for model in manifest.semantic_models.values() {
        let listed = model.fields.get("measures").and_then(Json::as_array).into_iter().flatten();
        measures.extend(listed.filter_map(name_of).map(|name| (name, model.unique_id.clone())));
    }
    measures
}

fn of_measures<'a>(
    metric: &SemanticResource,
    inputs: impl Iterator<Item = &'a Json>,
    measures: &Measures,
) -> Result<DependsOn> {
    let mut dependencies = DependsOn::default();
    for name in inputs.filter_map(name_of) {
        let Some(id) = measures.get(&name) else {
            return Err(Error::parsing(format!(
                "A semantic model having a measure `{name}` does not exist but was referenced by metric `{}`.",
                metric.name
            ))
            .help("add the measure to a semantic model, and check that the semantic model is enabled"));
        };
        dependencies.add_node(id);
    }
    Ok(dependencies)
}

/// The name of an input, which is written as a text or as a mapping with a `name`.
fn name_of(input: &Json) -> Option<String> {
    input.as_str().or_else(|| input.get("name").and_then(Json::as_str)).map(str::to_owned)
}
