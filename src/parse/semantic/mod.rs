//! The semantic layer: metrics, semantic models and saved queries
//! (<https://docs.getdbt.com/docs/build/about-metricflow>).
//!
//! rbt computes nothing from them. They are read into the full shape that `manifest.json` gives them, because
//! MetricFlow and other tools read them from there, and what they depend on is resolved.

mod fields;
mod resolve;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use self::fields::{Metric, SavedQuery, SemanticModel, WrittenMeasure};
use super::Parser;
use super::columns::sorted_tags;
use super::properties::Properties;
use super::sql_nodes::fqn;
use crate::error::{Error, Result};
use crate::manifest::{DependsOn, RefArgs, ResourceType, SemanticResource};
use crate::project::config::resolve_unrendered;

impl Parser<'_> {
    /// Parses an entry of the semantic layer. A semantic model may bring metrics: one of each measure that says
    /// `create_metric: true`.
    ///
    /// # Errors
    /// A field that is missing, unknown, or of another kind than dbt wants.
    pub fn parse_semantic(&self, entry: &Properties) -> Result<Vec<SemanticResource>> {
        let mut resource = self.semantic_resource(entry, entry.kind, &entry.name, &entry.config)?;
        let config = serde_json::to_value(&resource.config).unwrap_or_default();
        let mut metrics = Vec::new();
        resource.fields = match entry.kind {
            ResourceType::Metric => {
                let mut metric: Metric = read(entry)?;
                self.describe_in_place(entry, &mut metric.description)?;
                metric_fields(metric, &config)?
            }
            ResourceType::SavedQuery => {
                let mut query: SavedQuery = read(entry)?;
                if let Some(description) = &mut query.description {
                    self.describe_in_place(entry, description)?;
                }
                let target = &self.shared.target;
                query.place_exports(&config, &target.database, &target.schema);
                let tags = sorted_tags([Json::from(query.tags), config["tags"].clone()].iter());
                query.tags = tags;
                object(&query)?
            }
            _ => {
                let model: SemanticModel = read(entry)?;
                for measure in model.measures.iter().filter(|measure| measure.create_metric) {
                    metrics.push(self.metric_of_measure(entry, measure, &config)?);
                }
                let calls = [model.model.as_str()];
                resource.refs = self.references(&entry.package, &calls, &entry.location())?.refs;
                self.semantic_model_fields(entry, model, &config)?
            }
        };
        let unrendered = self.unrendered_semantic_config(entry, &resource.fqn);
        complete(&mut resource, unrendered);
        metrics.insert(0, resource);
        Ok(metrics)
    }

    fn semantic_resource(
        &self,
        entry: &Properties,
        kind: ResourceType,
        name: &str,
        layer: &Map<String, Json>,
    ) -> Result<SemanticResource> {
        let fqn = fqn(&entry.package, entry.relative_path(), name);
        Ok(SemanticResource {
            unique_id: format!("{kind}.{}.{name}", entry.package).into(),
            resource_type: kind,
            name: name.to_owned(),
            package_name: entry.package.clone(),
            path: entry.relative_path().to_owned(),
            original_file_path: entry.file.to_string(),
            config: self.yaml_config(entry, kind, &fqn, layer)?,
            fqn,
            depends_on: DependsOn::default(),
            refs: Vec::<RefArgs>::new(),
            created_at: self.now,
            fields: Map::new(),
        })
    }

    fn unrendered_semantic_config(&self, entry: &Properties, fqn: &[String]) -> Map<String, Json> {
        let project = self.project_of(&entry.package);
        let root = self.unrendered_root_trees(project);
        let layer = Some(&entry.unrendered_config);
        resolve_unrendered(entry.kind, &project.unrendered_configs, root, fqn, layer, None)
    }

    fn describe_in_place(&self, entry: &Properties, description: &mut String) -> Result<()> {
        *description = self.describe(&entry.package, description, &entry.location())?.0;
        Ok(())
    }

    fn semantic_model_fields(
        &self,
        entry: &Properties,
        mut model: SemanticModel,
        config: &Json,
    ) -> Result<Map<String, Json>> {
        let descriptions = std::iter::once(&mut model.description)
            .chain(model.entities.iter_mut().map(|entity| &mut entity.description))
            .chain(model.measures.iter_mut().map(|measure| &mut measure.description))
            .chain(model.dimensions.iter_mut().map(|dimension| &mut dimension.description));
        for description in descriptions.flatten() {
            self.describe_in_place(entry, description)?;
        }
        let configs = (model.entities.iter_mut().map(|entity| &mut entity.config))
            .chain(model.measures.iter_mut().map(|measure| &mut measure.config))
            .chain(model.dimensions.iter_mut().map(|dimension| &mut dimension.config));
        for element in configs {
            element.inherit(&config["meta"]);
        }
        object(&model)
    }

    /// The metric of a measure that says `create_metric: true`.
    fn metric_of_measure(
        &self,
        entry: &Properties,
        measure: &WrittenMeasure,
        config: &Json,
    ) -> Result<SemanticResource> {
        let mut layer = Map::new();
        for key in ["enabled", "meta"] {
            layer.insert(key.to_owned(), config[key].clone());
        }
        let name = &measure.name;
        let mut resource = self.semantic_resource(entry, ResourceType::Metric, name, &layer)?;
        let config = serde_json::to_value(&resource.config).unwrap_or_default();
        let description = measure.description.clone();
        let metric = json!({
            "name": name,
            "label": measure.label.as_ref().unwrap_or(name),
            "type": "simple",
            "type_params": { "measure": name, "expr": measure.expr.as_ref().unwrap_or(name) },
            "description": description.unwrap_or_else(|| format!("Metric created from measure {name}")),
        });
        let metric: Metric = serde_json::from_value(metric).map_err(|error| invalid(entry, &error))?;
        resource.fields = metric_fields(metric, &config)?;
        complete(&mut resource, layer);
        Ok(resource)
    }
}

fn read<T: DeserializeOwned>(entry: &Properties) -> Result<T> {
    serde_json::from_value(entry.yaml.to_json()).map_err(|error| invalid(entry, &error))
}

fn invalid(entry: &Properties, error: &serde_json::Error) -> Error {
    let kind = entry.kind.as_str().replace('_', " ");
    entry.error(format!("the {kind} '{}' cannot be read: {error}", entry.name))
}

fn object(fields: &impl Serialize) -> Result<Map<String, Json>> {
    match serde_json::to_value(fields) {
        Ok(Json::Object(map)) => Ok(map),
        Ok(_) => Ok(Map::new()),
        Err(error) => Err(Error::runtime(error.to_string())),
    }
}

fn metric_fields(mut metric: Metric, config: &Json) -> Result<Map<String, Json>> {
    if let Some(meta) = config["meta"].as_object().filter(|meta| !meta.is_empty()) {
        metric.meta = meta.clone();
    }
    metric.complete();
    object(&metric)
}

/// Adds what all of these resources have, and takes away what is a field of its own.
fn complete(resource: &mut SemanticResource, unrendered_config: Map<String, Json>) {
    let group = resource.config.get("group").cloned().unwrap_or_default();
    resource.fields.retain(|key, _| key != "name" && key != "config");
    for (key, value) in
        [("metadata", Json::Null), ("group", group), ("unrendered_config", Json::Object(unrendered_config))]
    {
        resource.fields.insert(key.to_owned(), value);
    }
}
