//! `query-comment`: what goes with each statement
//! (<https://docs.getdbt.com/reference/project-configs/query-comment>).

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::Object;
use serde_json::{Value as Json, json};

use super::{Context, Names, NodeObject, Role, Shared, value as values};
use crate::error::{Error, Result};
use crate::flags::DBT_VERSION;
use crate::jinja::values::{is_undefined, json_dumps};
use crate::jinja::{MacroTemplate, Origin, python_str};
use crate::manifest::Resource;
use crate::project::project_file::{PROJECT_FILE, QueryComment};
use crate::warehouse::Comment;

/// The name under which the text of the project file is called, as dbt has it in traces.
const MACRO_NAME: &str = "query_comment_macro";

/// What the project file says of comments.
pub struct QueryComments {
    form: Form,
    append: bool,
}

enum Form {
    /// dbt's own comment.
    Standard,
    Off,
    /// A text of the project's.
    Text(Arc<MacroTemplate>),
}

impl QueryComments {
    /// Reads a setting; its text is compiled with the first comment.
    pub fn new(setting: &QueryComment) -> Self {
        let form = match setting.comment.as_deref() {
            None => Form::Standard,
            Some("") => Form::Off,
            Some(text) => {
                let text =
                    format!("{{%- macro {MACRO_NAME}(connection_name, node) -%}}\n{text}\n{{% endmacro %}}");
                Form::Text(Arc::new(MacroTemplate::new("", MACRO_NAME, text, Origin::file(PROJECT_FILE))))
            }
        };
        QueryComments { form, append: setting.append }
    }
}

impl Shared {
    /// The comment for the statements of a connection, which works on a resource or on nothing in particular.
    ///
    /// # Errors
    /// If the project's text fails, or gives what would end the comment.
    pub fn query_comment(
        self: &Arc<Self>,
        connection: &str,
        resource: Option<Resource>,
    ) -> Result<Option<Comment>> {
        let QueryComments { form, append } = &self.query_comments;
        let text = match form {
            Form::Off => return Ok(None),
            Form::Standard => self.standard_comment(connection, resource),
            Form::Text(template) => {
                let context = Context::build(self, &self.project_name, Role::Naming, Names::default());
                let node = resource.map_or(Value::from(()), node_value);
                python_str(&context.call(template, &[Value::from(connection), node])?)
            }
        };
        if text.contains("*/") {
            return Err(Error::runtime(format!(
                "the query comment has a \"*/\" in it, which ends it: {text}"
            ))
            .help(format!("change `query-comment` in {PROJECT_FILE}, or the macro that makes it")));
        }
        Ok((!text.trim().is_empty()).then_some(Comment { text, append: *append }))
    }

    fn standard_comment(&self, connection: &str, resource: Option<Resource>) -> String {
        let target = &self.target;
        let mut fields = json!({
            "app": "dbt",
            "dbt_version": DBT_VERSION,
            "profile_name": target.profile_name,
            "target_name": target.name,
        });
        match resource {
            Some(resource) => fields["node_id"] = Json::from(&**resource.id()),
            None => fields["connection_name"] = Json::from(connection),
        }
        json_dumps(&fields, false, None)
    }
}

fn node_value(resource: Resource) -> Value {
    let json = match resource {
        Resource::Node(node) => {
            return Value::from_object(Gentle(NodeObject::value(Arc::new(node.clone()))));
        }
        Resource::Source(source) => serde_json::to_value(source),
        Resource::Exposure(exposure) => serde_json::to_value(exposure),
        Resource::UnitTest(test) => serde_json::to_value(test),
        Resource::Semantic(resource) => serde_json::to_value(resource),
    };
    Value::from_object(Gentle(json.map(|json| values::from_json(&json)).unwrap_or_default()))
}

/// A node whose missing fields are empty: what a comment asks of models, tests have not.
#[derive(Debug)]
struct Gentle(Value);

impl Object for Gentle {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        // Sources have an identifier, nodes call theirs an alias.
        let keys =
            if key.as_str() == Some("identifier") { ["identifier", "alias"] } else { [key.as_str()?; 2] };
        let known =
            keys.iter().filter_map(|key| self.0.get_attr(key).ok()).find(|value| !is_undefined(value));
        Some(known.unwrap_or_else(|| Value::from("")))
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}
