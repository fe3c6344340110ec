//! What metrics and saved queries depend on: the semantic models of their measures, and other metrics
//! (<https://docs.getdbt.com/docs/build/metrics-overview>).

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use crate::error::{Error, Location, Result};
use crate::manifest::{DependsOn, Found, Id, Lookup, Manifest, SemanticResource};
use crate::parse::Parser;

/// The semantic model of each measure, by the measure's name.
type Measures = HashMap<String, Id>;

impl Parser<'_> {
    /// Fills the dependencies of metrics and saved queries; those of semantic models are `ref`s like any other.
    pub fn resolve_semantic_layer(&self, manifest: &mut Manifest, lookup: &Lookup, errors: &mut Vec<Error>) {
        relate_to_models(manifest);
        let measures = measures(manifest);
        for metric in manifest.metrics.values_mut() {
            match self.metric_dependencies(metric, &measures, lookup) {
                Ok(dependencies) => metric.depends_on = dependencies,
                Err(error) => errors.push(error.at(Location::file(&metric.original_file_path))),
            }
        }
        fill_input_measures(manifest);
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

/// Says of each semantic model which table it is about.
fn relate_to_models(manifest: &mut Manifest) {
    for semantic in manifest.semantic_models.values_mut() {
        let model = semantic.depends_on.nodes.first().and_then(|id| manifest.nodes.get(id));
        let Some(model) = model else { continue };
        let relation = json!({
            "alias": model.alias,
            "schema_name": model.schema,
            "database": model.database,
            "relation_name": model.relation_name,
        });
        semantic.fields.insert("node_relation".to_owned(), relation);
    }
}

/// Says of each metric which measures it comes to in the end.
fn fill_input_measures(manifest: &mut Manifest) {
    let inputs: Vec<Vec<Json>> = manifest
        .metrics
        .values()
        .map(|metric| {
            let mut found = Vec::new();
            collect_input_measures(manifest, metric, &mut Vec::new(), &mut found);
            found
        })
        .collect();
    for (metric, inputs) in manifest.metrics.values_mut().zip(inputs) {
        if let Some(params) = metric.fields.get_mut("type_params").and_then(Json::as_object_mut) {
            params.insert("input_measures".to_owned(), Json::Array(inputs));
        }
    }
}

/// Adds the measures of a metric, and of the metrics it is made of. `path` are the metrics on the way: one that is
/// made of itself is found as a cycle of the graph.
fn collect_input_measures<'a>(
    manifest: &'a Manifest,
    metric: &'a SemanticResource,
    path: &mut Vec<&'a str>,
    found: &mut Vec<Json>,
) {
    if path.contains(&&*metric.unique_id) {
        return;
    }
    let params = metric.fields.get("type_params").unwrap_or(&Json::Null);
    let conversion = &params["conversion_type_params"];
    for input in [&params["measure"], &conversion["base_measure"], &conversion["conversion_measure"]] {
        if !input.is_null() && !found.contains(input) {
            found.push(input.clone());
        }
    }
    path.push(&metric.unique_id);
    for part in metric.depends_on.nodes.iter().filter_map(|id| manifest.metrics.get(id)) {
        collect_input_measures(manifest, part, path, found);
    }
    path.pop();
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
