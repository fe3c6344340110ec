//! `metric`: a metric of the semantic layer as templates see it.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::Context;
use super::args::Args;
use super::nodes::package_and_name;
use super::value as values;
use crate::manifest::Found;

/// `metric('name')`, recorded as a dependency. While parsing it knows its name alone, afterwards all that the manifest has
/// of it.
pub fn metric(context: &Arc<Context>, _state: &mut State, args: &Args) -> Result<Value, Error> {
    let names = package_and_name(args, "metric")?;
    let name = names.last().cloned().unwrap_or_default();
    let package = (names.len() == 2).then(|| names[0].clone());
    if let Some(mut capture) = context.capture() {
        capture.metrics.push(names);
    }
    let found = context.running().and_then(|running| {
        let root = &context.shared.project_name;
        match running.lookup.resolve_metric(&name, package.as_deref(), root, &context.package) {
            Found::Enabled(id) => serde_json::to_value(running.manifest.metrics.get(&id)?).ok(),
            _ => None,
        }
    });
    let fields = found.map(|metric| values::from_json(&metric));
    Ok(Value::from_object(Metric { name, package, fields }))
}

#[derive(Debug)]
struct Metric {
    name: String,
    package: Option<String>,
    fields: Option<Value>,
}

impl Object for Metric {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "metric_name" => Some(Value::from(self.name.as_str())),
            "package_name" => Some(self.package.clone().map_or(Value::from(()), Value::from)),
            // As Python shows the member of the enumeration that it is in dbt.
            "type" => {
                let kind = self.fields.as_ref()?.get_item(key).ok()?;
                Some(Value::from(format!("MetricType.{}", kind.as_str()?.to_uppercase())))
            }
            _ => self.fields.as_ref()?.get_item(key).ok().filter(|value| !value.is_undefined()),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
