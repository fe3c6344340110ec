//! Manifests for tests: written in a few lines, or read from a real `manifest.json`.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::manifest::{
    Checksum, Column, Contract, DependsOn, Details, Disabled, Exposure, Fixture, Id, Macro, Manifest,
    ModelFields, Node, Quoting, ResourceType, SemanticResource, Source, SourceFields, TestFields,
    TestMetadata, UnitTest,
};
use crate::project::config::Config;

/// A manifest of nodes in the form `a -> b c`: b and c depend on a. A name with a dot (`source.raw`, `test.t`,
/// `unit_test.u`) is of that type, one without is a model.
pub(super) fn manifest(edges: &str) -> Manifest {
    let mut parents: IndexMap<String, Vec<String>> = IndexMap::new();
    for line in edges.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (parent, children) = line.split_once("->").unwrap_or((line, ""));
        let parent = id(parent.trim());
        parents.entry(parent.clone()).or_default();
        for child in children.split_whitespace() {
            parents.entry(id(child)).or_default().push(parent.clone());
        }
    }
    let mut sections = Map::new();
    for (id, parents) in parents {
        let mut words = id.splitn(3, '.');
        let (kind, name) = (words.next().unwrap(), words.nth(1).unwrap());
        let section = section(kind);
        let resource = json!({
            "unique_id": id, "resource_type": kind, "name": name, "package_name": "p",
            "original_file_path": format!("models/{name}.sql"), "fqn": ["p", name], "raw_code": "select 1",
            "source_name": "s", "depends_on": { "nodes": parents },
        });
        let section = sections.entry(section).or_insert_with(|| json!({}));
        section.as_object_mut().unwrap().insert(id, resource);
    }
    read(&Json::Object(sections))
}

/// The id of a name as [`manifest`] takes it.
pub(super) fn id(name: &str) -> String {
    match name.split_once('.') {
        Some((kind, name)) => format!("{kind}.p.{name}"),
        None => format!("model.p.{name}"),
    }
}

fn section(kind: &str) -> &'static str {
    match kind {
        "source" => "sources",
        "exposure" => "exposures",
        "unit_test" => "unit_tests",
        "function" => "functions",
        _ => "nodes",
    }
}

/// Reads as much of a `manifest.json` as the graph looks at.
pub(super) fn read(json: &Json) -> Manifest {
    Manifest {
        nodes: entries(json, "nodes", node),
        functions: entries(json, "functions", node),
        sources: entries(json, "sources", source),
        macros: entries(json, "macros", own_macro),
        exposures: entries(json, "exposures", exposure),
        unit_tests: entries(json, "unit_tests", unit_test),
        metrics: entries(json, "metrics", semantic),
        semantic_models: entries(json, "semantic_models", semantic),
        saved_queries: entries(json, "saved_queries", semantic),
        disabled: entries(json, "disabled", disabled),
        ..Manifest::default()
    }
}

fn entries<T>(json: &Json, section: &str, read: fn(&Json) -> T) -> IndexMap<Id, T> {
    let section = json[section].as_object().into_iter().flatten();
    section.map(|(id, entry)| (Id::from(id.as_str()), read(entry))).collect()
}

fn disabled(list: &Json) -> Vec<Disabled> {
    let read = |json: &Json| match text(json, "resource_type").as_str() {
        "source" => Disabled::Source(Box::new(source(json))),
        _ => Disabled::Node(Box::new(node(json))),
    };
    list.as_array().unwrap().iter().map(read).collect()
}

fn unique_id(json: &Json) -> Id {
    text(json, "unique_id").into()
}

fn text(json: &Json, key: &str) -> String {
    json[key].as_str().unwrap_or_default().to_owned()
}

fn optional_text(json: &Json, key: &str) -> Option<String> {
    json[key].as_str().map(str::to_owned)
}

fn optional(json: &Json, key: &str) -> Option<Json> {
    json.get(key).filter(|value| !value.is_null()).cloned()
}

fn texts(json: &Json) -> Vec<String> {
    json.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn object(json: &Json, key: &str) -> Map<String, Json> {
    json[key].as_object().cloned().unwrap_or_default()
}

fn list(json: &Json, key: &str) -> Vec<Json> {
    json[key].as_array().cloned().unwrap_or_default()
}

fn package(json: &Json) -> Arc<str> {
    text(json, "package_name").into()
}

fn kind(json: &Json) -> ResourceType {
    ResourceType::from_name(&text(json, "resource_type")).unwrap()
}

fn config(json: &Json) -> Config {
    Config::from_json(kind(json), &object(json, "config")).unwrap()
}

fn depends_on(json: &Json) -> DependsOn {
    let ids = |key: &str| texts(&json["depends_on"][key]).iter().map(|id| Id::from(id.as_str())).collect();
    DependsOn { macros: ids("macros"), nodes: ids("nodes") }
}

fn columns(json: &Json) -> IndexMap<String, Column> {
    let column = |(name, json): (&String, &Json)| {
        let column = Column {
            name: name.clone(),
            description: text(json, "description"),
            meta: Map::new(),
            data_type: optional_text(json, "data_type"),
            constraints: list(json, "constraints"),
            quote: None,
            config: Map::new(),
            tags: Vec::new(),
            granularity: None,
            doc_blocks: Vec::new(),
            extra: Map::new(),
        };
        (name.clone(), column)
    };
    json["columns"].as_object().into_iter().flatten().map(column).collect()
}

fn node(json: &Json) -> Node {
    let kind = kind(json);
    let checksum = match json["checksum"]["name"].as_str() {
        Some("sha256") => Checksum { name: "sha256", checksum: text(&json["checksum"], "checksum") },
        Some("path") => Checksum { name: "path", checksum: text(&json["checksum"], "checksum") },
        _ => Checksum::none(),
    };
    let model = (kind == ResourceType::Model).then(|| {
        Arc::new(ModelFields {
            access: text(json, "access"),
            constraints: list(json, "constraints"),
            version: optional(json, "version"),
            latest_version: optional(json, "latest_version"),
            deprecation_date: optional_text(json, "deprecation_date"),
            primary_key: Vec::new(),
            time_spine: None,
        })
    });
    let test = json["test_metadata"].is_object().then(|| {
        let metadata = &json["test_metadata"];
        Box::new(TestFields {
            column_name: optional_text(json, "column_name"),
            file_key_name: text(json, "file_key_name"),
            attached_node: optional_text(json, "attached_node").map(Id::from),
            attached_tags: json["tags"].as_array().cloned().unwrap_or_default(),
            attached_group: optional_text(json, "group"),
            test_metadata: TestMetadata {
                name: text(metadata, "name"),
                kwargs: object(metadata, "kwargs"),
                namespace: optional_text(metadata, "namespace"),
            },
        })
    });
    let function = |json: &Json| ["arguments", "returns"].map(|key| (key.to_owned(), json[key].clone()));
    let name = text(json, "name");
    let details = Details {
        path: text(json, "path"),
        alias: text(json, "alias"),
        database: text(json, "database"),
        schema: text(json, "schema"),
        checksum,
        unrendered_config: object(json, "unrendered_config"),
        description: text(json, "description"),
        columns: columns(json),
        patch_path: optional_text(json, "patch_path"),
        raw_code: text(json, "raw_code").into(),
        contract: Contract {
            enforced: json["contract"]["enforced"] == true,
            alias_types: true,
            checksum: optional_text(&json["contract"], "checksum"),
        },
        test,
        function: (kind == ResourceType::Function).then(|| function(json).into_iter().collect()),
        ..Details::new(&name)
    };
    let file = text(json, "original_file_path");
    Node {
        fqn: texts(&json["fqn"]),
        config: config(json),
        depends_on: depends_on(json),
        model,
        ..Node::new(kind, unique_id(json).to_string(), &name, &package(json), file, details)
    }
}

fn source(json: &Json) -> Source {
    let quoting = |part: &str| json["quoting"][part].as_bool();
    Source {
        unique_id: unique_id(json),
        database: text(json, "database"),
        schema: text(json, "schema"),
        name: text(json, "name"),
        package_name: package(json),
        original_file_path: text(json, "original_file_path"),
        fqn: texts(&json["fqn"]),
        source_name: text(json, "source_name"),
        identifier: text(json, "identifier"),
        quoting: Quoting {
            database: quoting("database"),
            schema: quoting("schema"),
            identifier: quoting("identifier"),
            column: quoting("column"),
        },
        fields: SourceFields {
            loaded_at_field: optional_text(json, "loaded_at_field"),
            freshness: optional(json, "freshness"),
            external: optional(json, "external"),
            tags: list(json, "tags"),
            ..SourceFields::default()
        },
        columns: columns(json),
        config: config(json),
        patch_path: optional_text(json, "patch_path"),
        unrendered_config: object(json, "unrendered_config"),
        relation_name: String::new(),
        created_at: 0.0,
        unrendered_database: optional_text(json, "unrendered_database"),
        unrendered_schema: optional_text(json, "unrendered_schema"),
        line: 1,
    }
}

fn own_macro(json: &Json) -> Macro {
    Macro {
        unique_id: unique_id(json),
        name: text(json, "name"),
        package_name: package(json),
        original_file_path: text(json, "original_file_path"),
        macro_sql: text(json, "macro_sql"),
        depends_on: depends_on(json).macros,
        description: String::new(),
        meta: Map::new(),
        docs: Json::Null,
        patch_path: None,
        arguments: Vec::new(),
        created_at: 0.0,
        supported_languages: None,
        first_line: 1,
    }
}

fn exposure(json: &Json) -> Exposure {
    Exposure {
        name: text(json, "name"),
        resource_type: ResourceType::Exposure,
        package_name: package(json),
        path: text(json, "path"),
        original_file_path: text(json, "original_file_path"),
        unique_id: unique_id(json),
        fqn: texts(&json["fqn"]),
        exposure_type: text(json, "type"),
        owner: json["owner"].clone(),
        description: text(json, "description"),
        label: optional_text(json, "label"),
        maturity: optional_text(json, "maturity"),
        meta: Json::Null,
        tags: json["tags"].clone(),
        config: config(json),
        unrendered_config: object(json, "unrendered_config"),
        url: optional_text(json, "url"),
        depends_on: depends_on(json),
        refs: Vec::new(),
        sources: Vec::new(),
        metrics: Vec::new(),
        created_at: 0.0,
        line: 1,
    }
}

fn unit_test(json: &Json) -> UnitTest {
    UnitTest {
        unique_id: unique_id(json),
        name: text(json, "name"),
        package_name: package(json),
        model: text(json, "model"),
        path: text(json, "path"),
        original_file_path: text(json, "original_file_path"),
        fqn: texts(&json["fqn"]),
        given: Vec::new(),
        expect: Fixture { rows: Json::Null, format: "dict".to_owned(), fixture: None },
        description: String::new(),
        overrides: None,
        depends_on: depends_on(json),
        config: config(json),
        checksum: optional_text(json, "checksum"),
        schema: None,
        created_at: 0.0,
        versions: None,
        version: optional(json, "version"),
        line: 1,
    }
}

fn semantic(json: &Json) -> SemanticResource {
    SemanticResource {
        line: 0,
        unique_id: unique_id(json),
        resource_type: kind(json),
        name: text(json, "name"),
        package_name: package(json),
        path: text(json, "path"),
        original_file_path: text(json, "original_file_path"),
        fqn: texts(&json["fqn"]),
        config: config(json),
        depends_on: depends_on(json),
        refs: Vec::new(),
        created_at: 0.0,
        fields: json.as_object().cloned().unwrap_or_default(),
    }
}
