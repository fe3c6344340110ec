//! `builtins.ref.config`: the project, its packages and the invocation, where packages look up versions and
//! variables that the context has no function for.

use minijinja::Value;
use serde_json::Value as Json;

use super::record::record;
use super::{Shared, value as values};
use crate::project::yaml::Mapping;

/// A project of the workspace as templates see it.
#[derive(Debug, Clone)]
pub struct ProjectInfo {
    pub name: String,
    pub version: Option<String>,
    /// The folder of the project.
    pub root: String,
    /// The variables that its file sets, as they are written.
    pub vars: Mapping,
}

impl ProjectInfo {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("project_name", Value::from(self.name.as_str())),
            ("version", self.version.as_deref().map_or(Value::from(()), Value::from)),
            ("project_root", Value::from(self.root.as_str())),
            ("vars", record(mapping_value(&self.vars))),
        ]
    }
}

/// The root project's configuration, with the profile, the command line and all packages.
pub fn value(shared: &Shared) -> Value {
    // The arguments of the invocation are in it.
    shared.observed.note_invocation();
    let mut fields = shared.projects.first().map(ProjectInfo::fields).unwrap_or_default();
    let dependencies =
        shared.projects.iter().map(|project| (project.name.as_str(), values::dict(project.fields())));
    let target = &shared.target;
    fields.extend([
        ("dependencies", values::dict(dependencies.collect::<Vec<_>>())),
        ("profile_name", Value::from(target.profile_name.as_str())),
        ("target_name", Value::from(target.name.as_str())),
        ("threads", Value::from(target.threads)),
        ("credentials", target.to_value()),
        ("cli_vars", mapping_value(shared.vars.cli())),
        ("args", values::from_json(&Json::Object(shared.flags.args()))),
    ]);
    values::dict(fields)
}

fn mapping_value(vars: &Mapping) -> Value {
    values::dict(
        vars.iter()
            .map(|(key, value)| (key.key_text(), values::from_json(&value.to_json())))
            .collect::<Vec<_>>(),
    )
}
