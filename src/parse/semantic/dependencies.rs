//! What metrics and saved queries depend on: the semantic models of their measures, and other metrics
//! (<https://docs.getdbt.com/docs/build/metrics-overview>).

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::error::{Error, Location, Result};
use crate::manifest::{DependsOn, Disabled, Found, Id, Lookup, Manifest, SemanticResource};
use crate::parse::Parser;
use crate::text::nearest;

/// What a metric comes down to: its dependencies, and the measures that it and the metrics behind it are made of.
#[derive(Clone, Default)]
struct Inputs {
    depends_on: DependsOn,
    measures: Vec<Json>,
}

/// The metrics that are resolved so far; `None` for one that is being resolved.
type Resolved = HashMap<Id, Option<Inputs>>;

impl Parser<'_> {
    /// Fills the dependencies of metrics and saved queries; those of semantic models are `ref`s like any other.
    pub fn resolve_semantic_layer(&self, manifest: &mut Manifest, lookup: &Lookup, errors: &mut Vec<Error>) {
        let resolver = Resolver { parser: self, manifest, lookup };
        let mut resolved = Resolved::new();
        for metric in manifest.metrics.values() {
            if let Err(error) = resolver.metric(metric, &mut resolved) {
                errors.push(error.at(place(metric)));
            }
        }
        let mut of_queries = HashMap::new();
        for query in manifest.saved_queries.values() {
            let metrics = query.fields.get("query_params").and_then(|params| params["metrics"].as_array());
            let mut dependencies = DependsOn::default();
            for name in metrics.into_iter().flatten().filter_map(name_of) {
                match resolver.find(query, name) {
                    Ok(metric) => dependencies.add_node(&metric.unique_id),
                    Err(error) => errors.push(error.at(place(query))),
                }
            }
            of_queries.insert(query.unique_id.clone(), dependencies);
        }
        for metric in manifest.metrics.values_mut() {
            let Some(Some(inputs)) = resolved.remove(&metric.unique_id) else { continue };
            metric.depends_on = inputs.depends_on;
            if let Some(params) = metric.fields.get_mut("type_params") {
                params["input_measures"] = Json::Array(inputs.measures);
            }
        }
        for query in manifest.saved_queries.values_mut() {
            query.depends_on = of_queries.remove(&query.unique_id).unwrap_or_default();
        }
    }
}

fn place(resource: &SemanticResource) -> Location {
    Location::new(&resource.original_file_path, resource.line, 0)
}

struct Resolver<'a> {
    parser: &'a Parser<'a>,
    manifest: &'a Manifest,
    lookup: &'a Lookup,
}

impl Resolver<'_> {
    fn metric(&self, metric: &SemanticResource, resolved: &mut Resolved) -> Result<Inputs> {
        match resolved.get(&metric.unique_id) {
            Some(Some(inputs)) => return Ok(inputs.clone()),
            Some(None) => {
                return Err(Error::parsing(format!("The metric `{}` is made of itself.", metric.name))
                    .help("take it out of the metrics that it is derived from"));
            }
            None => drop(resolved.insert(metric.unique_id.clone(), None)),
        }
        let params = &metric.fields["type_params"];
        let inputs = match metric.fields["type"].as_str().unwrap_or_default() {
            "ratio" => {
                let inputs = [&params["numerator"], &params["denominator"]];
                if inputs.iter().any(|input| input.is_null()) {
                    return Err(Error::parsing(
                        "Invalid ratio metric. Both a numerator and denominator must be specified",
                    )
                    .help(format!("name two metrics in the type_params of '{}'", metric.name)));
                }
                self.of_metrics(metric, inputs.into_iter(), resolved)?
            }
            "derived" => {
                self.of_metrics(metric, params["metrics"].as_array().into_iter().flatten(), resolved)?
            }
            "conversion" => {
                let params = &params["conversion_type_params"];
                if params.is_null() {
                    return Err(Error::parsing(format!(
                        "the conversion metric `{}` has no conversion_type_params",
                        metric.name
                    ))
                    .help("name entity, base_measure and conversion_measure in them"));
                }
                self.of_measures(metric, &[&params["base_measure"], &params["conversion_measure"]])?
            }
            kind => {
                if params["measure"].is_null() {
                    return Err(Error::parsing(format!(
                        "the {kind} metric `{}` has no measure",
                        metric.name
                    ))
                    .help("name a measure of a semantic model in its type_params"));
                }
                self.of_measures(metric, &[&params["measure"]])?
            }
        };
        resolved.insert(metric.unique_id.clone(), Some(inputs.clone()));
        Ok(inputs)
    }

    fn of_metrics<'j>(
        &self,
        metric: &SemanticResource,
        names: impl Iterator<Item = &'j Json>,
        resolved: &mut Resolved,
    ) -> Result<Inputs> {
        let mut inputs = Inputs::default();
        for name in names.filter_map(name_of) {
            let input = self.find(metric, name)?;
            inputs.depends_on.add_node(&input.unique_id);
            for measure in self.metric(input, resolved)?.measures {
                inputs.add_measure(measure);
            }
        }
        Ok(inputs)
    }

    fn of_measures(&self, metric: &SemanticResource, measures: &[&Json]) -> Result<Inputs> {
        let mut inputs = Inputs::default();
        for measure in measures {
            let name = name_of(measure).unwrap_or_default();
            inputs.depends_on.add_node(&self.model_of(metric, name)?.unique_id);
            inputs.add_measure((*measure).clone());
        }
        Ok(inputs)
    }

    /// The semantic model with a measure.
    fn model_of(&self, metric: &SemanticResource, measure: &str) -> Result<&SemanticResource> {
        if let Some(model) = self.manifest.semantic_models.values().find(|model| has_measure(model, measure))
        {
            return Ok(model);
        }
        let disabled = self.manifest.disabled.values().flatten().find_map(|disabled| match disabled {
            Disabled::Semantic(model) if has_measure(model, measure) => Some(&model.name),
            _ => None,
        });
        if let Some(model) = disabled {
            return Err(Error::parsing(format!(
                "The measure `{measure}` is referenced on disabled semantic model `{model}`."
            ))
            .help(format!("enable the semantic model, or disable the metric `{}` too", metric.name)));
        }
        let known = self.manifest.semantic_models.values().flat_map(measures).filter_map(name_of);
        let error = Error::parsing(format!(
            "A semantic model having a measure `{measure}` does not exist but was referenced by metric `{}`.",
            metric.name
        ));
        Err(match nearest(measure, known) {
            Some(similar) => error.help(format!("did you mean '{similar}'?")),
            None => error
                .help("add the measure to a semantic model, and check that the semantic model is enabled"),
        })
    }

    fn find(&self, referrer: &SemanticResource, name: &str) -> Result<&SemanticResource> {
        let root = &self.parser.shared.project_name;
        match self.lookup.resolve_metric(name, None, root, &referrer.package_name) {
            Found::Enabled(id) if self.manifest.metrics.contains_key(&id) => Ok(&self.manifest.metrics[&id]),
            Found::Disabled(_) => {
                Err(Error::parsing(format!("The metric `{name}` is disabled and thus cannot be referenced."))
                    .help(format!("enable it, or disable `{}` too", referrer.name)))
            }
            _ => {
                let error = Error::parsing(format!(
                    "The metric `{name}` does not exist but was referenced by {} `{}`.",
                    referrer.resource_type.as_str().replace('_', " "),
                    referrer.name
                ));
                let known = self.manifest.metrics.values().map(|metric| metric.name.as_str());
                Err(match nearest(name, known) {
                    Some(similar) => error.help(format!("did you mean '{similar}'?")),
                    None => error.help("define it under `metrics:`"),
                })
            }
        }
    }
}

impl Inputs {
    /// A measure counts once for each way in which it is used.
    fn add_measure(&mut self, measure: Json) {
        if !self.measures.contains(&measure) {
            self.measures.push(measure);
        }
    }
}

fn measures(model: &SemanticResource) -> impl Iterator<Item = &Json> {
    model.fields.get("measures").and_then(Json::as_array).into_iter().flatten()
}

fn has_measure(model: &SemanticResource, name: &str) -> bool {
    measures(model).any(|measure| name_of(measure) == Some(name))
}

/// The name of an input, which is a text or a mapping with a `name`.
fn name_of(input: &Json) -> Option<&str> {
    input.as_str().or_else(|| input.get("name").and_then(Json::as_str))
}
