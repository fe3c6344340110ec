//! Rendering of YAML trees. The Jinja itself is the caller's: this room only knows which texts to hand over.

use std::path::Path;

use super::yaml::{Mapping, Yaml, YamlValue};
use crate::error::{Location, Result};

/// Renders one template that stands at a place in a file. Rendering is native: what is a whole expression may
/// become any value.
pub type Render<'a> = &'a dyn Fn(&str, &Location) -> Result<Yaml>;

/// Whether a text has Jinja in it.
pub fn has_jinja(text: &str) -> bool {
    text.as_bytes().windows(2).any(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

/// A value without Jinja as rendering leaves it: one newline at the end of a text is lost, and dates become
/// text.
fn rendered_plain(node: &Yaml) -> Yaml {
    match &node.value {
        YamlValue::Str(text) => {
            let text =
                text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
            Yaml::from(text).placed_at(node)
        }
        YamlValue::Timestamp(text) => Yaml::from(text.as_str()).placed_at(node),
        _ => node.clone(),
    }
}

/// Renders one value of a file.
pub fn render_value(node: &Yaml, file: &Path, render: Render) -> Result<Yaml> {
    match node.as_str() {
        Some(text) if has_jinja(text) => Ok(render(text, &node.location(file))?.placed_at(node)),
        _ => Ok(rendered_plain(node)),
    }
}

/// Renders all values of a tree, not the keys. `skip` tells, by the path of keys, which branches and values
/// stay as they are.
pub fn render_tree(
    node: &Yaml,
    file: &Path,
    skip: &dyn Fn(&[String]) -> bool,
    render: Render,
) -> Result<Yaml> {
    render_below(node, file, &mut Vec::new(), skip, render)
}

fn render_below(
    node: &Yaml,
    file: &Path,
    path: &mut Vec<String>,
    skip: &dyn Fn(&[String]) -> bool,
    render: Render,
) -> Result<Yaml> {
    if skip(path) {
        return Ok(node.clone());
    }
    let value = match &node.value {
        YamlValue::Seq(items) => {
            let items = items.iter().map(|item| render_below(item, file, path, skip, render));
            YamlValue::Seq(items.collect::<Result<_>>()?)
        }
        YamlValue::Map(map) => {
            let mut rendered = Vec::with_capacity(map.len());
            for (key, value) in map.iter() {
                path.push(key.key_text());
                let value = render_below(value, file, path, skip, render);
                path.pop();
                rendered.push((key.clone(), value?));
            }
            YamlValue::Map(Mapping::from(rendered))
        }
        _ => return render_value(node, file, render),
    };
    Ok(Yaml::new(value).placed_at(node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::yaml;

    #[test]
    fn renders_values_and_not_keys() {
        let text =
            "a: '{{ x }}'\n'{{ k }}': [\"{{ x }}\", 2024-01-31]\nhook: '{{ x }}'\nblock: |\n  text\nend: 1\n";
        let file = Path::new("f.yml");
        let tree = yaml::parse(text, file).expect("valid YAML");
        let skip = |path: &[String]| path.first().is_some_and(|key| key == "hook");
        let render = |template: &str, location: &Location| {
            assert_eq!(template, "{{ x }}");
            assert!(location.line > 0);
            Ok(Yaml::new(YamlValue::Int(7)))
        };
        let rendered = render_tree(&tree, file, &skip, &render).expect("rendered");
        let expected = serde_json::json!({
            "a": 7, "{{ k }}": [7, "2024-01-31"], "hook": "{{ x }}", "block": "text", "end": 1
        });
        assert_eq!(rendered.to_json(), expected);
        assert_eq!(rendered.get("a").map(|node| (node.line, node.column)), Some((1, 4)));
    }
}
