//! Entries of property files as resources of the manifest.

use serde_json::{Map, Value as Json, json};

use super::shapes;
use crate::error::Result;
use crate::manifest::{DependsOn, Details, Node, ResourceType, SemanticResource};
use crate::parse::Parser;
use crate::parse::columns::sorted_tags;
use crate::parse::properties::Properties;
use crate::parse::shape::{self, Key};
use crate::parse::sql_nodes::fqn;
use crate::project::config::{Config, resolve_unrendered};
use crate::project::yaml::Yaml;

/// What lists of a semantic model hold things with descriptions and configurations of their own.
const ELEMENTS: [&str; 3] = ["entities", "measures", "dimensions"];

impl Parser<'_> {
    /// Parses an entry of the semantic layer. A semantic model may bring metrics along, made of its measures.
    pub fn parse_semantic(&self, entry: &Properties) -> Result<Vec<SemanticResource>> {
        match entry.kind {
            ResourceType::Metric => Ok(vec![self.parse_metric(entry)?]),
            ResourceType::SemanticModel => self.parse_semantic_model(entry),
            _ => Ok(vec![self.parse_saved_query(entry)?]),
        }
    }

    fn parse_metric(&self, entry: &Properties) -> Result<SemanticResource> {
        check_metric_name(entry)?;
        let mut fields = self.read_fields(entry, shapes::METRIC)?;
        let config = self.yaml_config(entry, &self.semantic_fqn(entry, &entry.name), &entry.config)?;
        if fields["type"] == "cumulative" {
            nest_cumulative(&mut fields["type_params"], entry);
        } else {
            fields["type_params"]["cumulative_type_params"] = Json::Null;
        }
        finish_metric(&mut fields, &config);
        Ok(self.resource(entry, ResourceType::Metric, &entry.name, config, &entry.unrendered_config, fields))
    }

    fn parse_semantic_model(&self, entry: &Properties) -> Result<Vec<SemanticResource>> {
        let mut fields = self.read_fields(entry, shapes::SEMANTIC_MODEL)?;
        let config = self.yaml_config(entry, &self.semantic_fqn(entry, &entry.name), &entry.config)?;
        let meta = config.get("meta").and_then(Json::as_object).cloned().unwrap_or_default();
        let mut metrics = Vec::new();
        for list in ELEMENTS {
            for element in fields.get_mut(list).and_then(Json::as_array_mut).into_iter().flatten() {
                if element["create_metric"] == true {
                    metrics.push(self.metric_of_measure(
                        entry,
                        element,
                        &meta,
                        config.get_bool("enabled"),
                    )?);
                }
                self.describe_field(entry, element.get_mut("description"))?;
                let mut merged = meta.clone();
                merged.extend(element["config"]["meta"].as_object().cloned().unwrap_or_default());
                element["config"] = json!({"meta": merged});
                // dbt does not keep the wish once it is fulfilled.
                if list == "measures" {
                    element["create_metric"] = json!(false);
                }
            }
        }
        fields.insert("group".to_owned(), config.get("group").cloned().unwrap_or_default());
        let place = entry.yaml.get("model").unwrap_or(&entry.yaml).location(&entry.path);
        let calls: Vec<&str> = entry.text("model").into_iter().collect();
        let refs = self.references(&entry.package, &calls, &place)?.refs;
        let kind = ResourceType::SemanticModel;
        let mut model = self.resource(entry, kind, &entry.name, config, &entry.unrendered_config, fields);
        model.refs = refs;
        Ok(std::iter::once(model).chain(metrics).collect())
    }

    /// `create_metric: true` on a measure asks for a simple metric of the same name.
    fn metric_of_measure(
        &self,
        entry: &Properties,
        measure: &Json,
        meta: &Map<String, Json>,
        enabled: Option<bool>,
    ) -> Result<SemanticResource> {
        let name = measure["name"].as_str().unwrap_or_default();
        let text = |key: &str| measure[key].as_str();
        let metric = json!({
            "name": name,
            "label": text("label").unwrap_or(name),
            "type": "simple",
            "type_params": {"measure": name, "expr": text("expr").unwrap_or(name)},
            "description": text("description").map_or_else(|| format!("Metric created from measure {name}"), str::to_owned),
        });
        let mut fields = shape::read(&Yaml::from_json(&metric), shapes::METRIC, &entry.path)?;
        self.describe_field(entry, fields.get_mut("description"))?;
        let own = json!({"enabled": enabled.unwrap_or(true), "meta": meta});
        let own = own.as_object().cloned().unwrap_or_default();
        let path = self.semantic_fqn(entry, name);
        let config = self.yaml_config_of(ResourceType::Metric, entry, &path, &own)?;
        finish_metric(&mut fields, &config);
        Ok(self.resource(entry, ResourceType::Metric, name, config, &own, fields))
    }

    fn parse_saved_query(&self, entry: &Properties) -> Result<SemanticResource> {
        let mut fields = self.read_fields(entry, shapes::SAVED_QUERY)?;
        let config = self.yaml_config(entry, &self.semantic_fqn(entry, &entry.name), &entry.config)?;
        let tags = sorted_tags(fields.get("tags").into_iter().chain(config.get("tags")));
        fields.insert("tags".to_owned(), Json::Array(tags));
        fields.insert("group".to_owned(), config.get("group").cloned().unwrap_or_default());
        let exports = entry.yaml.get("exports").and_then(Yaml::as_seq).unwrap_or_default();
        let read = fields.get_mut("exports").and_then(Json::as_array_mut).into_iter().flatten();
        for (export, yaml) in read.zip(exports) {
            self.finish_export(export, &config, entry, yaml)?;
        }
        let kind = ResourceType::SavedQuery;
        Ok(self.resource(entry, kind, &entry.name, config, &entry.unrendered_config, fields))
    }

    /// Says where an export goes: what it does not configure is the saved query's, and its names are made as a node's.
    fn finish_export(
        &self,
        export: &mut Json,
        query: &Config,
        entry: &Properties,
        yaml: &Yaml,
    ) -> Result<()> {
        let own = export["config"].clone();
        let text = |key: &str| own.get(key).and_then(Json::as_str).map(str::to_owned);
        let name = export["name"].as_str().unwrap_or_default().to_owned();
        let export_as = text("export_as").or_else(|| query.get_str("export_as").map(str::to_owned));
        if !export_as.as_deref().is_some_and(|kind| ["table", "view"].contains(&kind)) {
            return Err(yaml
                .error(&entry.path, format!("export '{name}' does not say what it becomes"))
                .help("add `export_as: table` or `export_as: view` to its `config:`"));
        }
        let schema = text("schema_name")
            .or_else(|| text("schema"))
            .or_else(|| query.get_str("schema").map(str::to_owned));
        let id = format!("export.{}.{name}", entry.package);
        let (file, details) = (entry.file.to_string(), Details::new(&name));
        let mut node = Node::new(ResourceType::Model, id, &name, &entry.package, file, details);
        for key in ["alias", "database"] {
            if let Some(value) = text(key) {
                node.config.set(key, Json::from(value));
            }
        }
        self.name_relation(&mut node)?;
        export["config"] = json!({
            "export_as": export_as,
            "schema_name": schema.as_ref().unwrap_or(&node.schema),
            "alias": text("alias").as_ref().unwrap_or(&node.alias),
            "database": node.database,
        });
        export["unrendered_config"] = own;
        Ok(())
    }

    /// The fields of an entry, but for its name and configuration, with the description rendered.
    fn read_fields(&self, entry: &Properties, keys: &[Key]) -> Result<Map<String, Json>> {
        let mut fields = shape::read(&entry.yaml, keys, &entry.path)?;
        self.describe_field(entry, fields.get_mut("description"))?;
        Ok(fields)
    }

    fn describe_field(&self, entry: &Properties, description: Option<&mut Json>) -> Result<()> {
        let Some(Json::String(text)) = description else { return Ok(()) };
        *text = self.describe(&entry.package, text, &entry.location())?.0;
        Ok(())
    }

    fn semantic_fqn(&self, entry: &Properties, name: &str) -> Vec<String> {
        fqn(&entry.package, entry.relative_path(), name)
    }

    fn resource(
        &self,
        entry: &Properties,
        kind: ResourceType,
        name: &str,
        config: Config,
        own: &Map<String, Json>,
        mut fields: Map<String, Json>,
    ) -> SemanticResource {
        let fqn = self.semantic_fqn(entry, name);
        let project = self.project_of(&entry.package);
        let root = self.unrendered_root_trees(project);
        let unrendered = resolve_unrendered(kind, &project.unrendered_configs, root, &fqn, Some(own), None);
        fields.retain(|key, _| key != "name" && key != "config");
        fields.insert("unrendered_config".to_owned(), Json::Object(unrendered));
        SemanticResource {
            unique_id: format!("{kind}.{}.{name}", entry.package).into(),
            resource_type: kind,
            name: name.to_owned(),
            package_name: entry.package.clone(),
            path: entry.relative_path().to_owned(),
            original_file_path: entry.file.to_string(),
            config,
            fqn,
            depends_on: DependsOn::default(),
            refs: Vec::new(),
            created_at: self.now,
            line: entry.yaml.line as usize,
            fields,
        }
    }
}

/// Windows of cumulative metrics stand in a mapping of their own; where they stood before still counts.
fn nest_cumulative(params: &mut Json, entry: &Properties) {
    if params["cumulative_type_params"].is_null() {
        params["cumulative_type_params"] =
            json!({"window": null, "grain_to_date": null, "period_agg": "first", "metric": null});
    }
    for key in ["window", "grain_to_date"] {
        if params["cumulative_type_params"][key].is_null() {
            let outer = match key {
                // The window is read already, the grain is taken as it was written.
                "window" => params[key].clone(),
                _ => entry
                    .yaml
                    .get("type_params")
                    .and_then(|all| all.get(key))
                    .map_or(Json::Null, Yaml::to_json),
            };
            params["cumulative_type_params"][key] = outer;
        }
    }
}

fn finish_metric(fields: &mut Map<String, Json>, config: &Config) {
    if let Some(meta) =
        config.get("meta").filter(|meta| meta.as_object().is_some_and(|meta| !meta.is_empty()))
    {
        fields.insert("meta".to_owned(), meta.clone());
    }
    fields.insert("sources".to_owned(), json!([]));
    fields.insert("metrics".to_owned(), json!([]));
    fields.insert("group".to_owned(), config.get("group").cloned().unwrap_or_default());
}

/// Metrics become columns of queries: their names must be able to.
fn check_metric_name(entry: &Properties) -> Result<()> {
    let name = &entry.name;
    let mut problems = Vec::new();
    if name.contains(' ') {
        problems.push("cannot contain spaces");
    }
    if name.chars().count() > 250 {
        problems.push("cannot contain more than 250 characters");
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        problems.push("must begin with a letter");
    }
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        problems.push("must contain only letters, numbers and underscores");
    }
    if problems.is_empty() {
        return Ok(());
    }
    let place = entry.yaml.get("name").unwrap_or(&entry.yaml);
    Err(place
        .error(&entry.path, format!("The metric name '{name}' is invalid.  It {}", problems.join(", ")))
        .help("rename the metric; how it is shown is told with `label:`"))
}
