//! Constraints of contracts as the words of a table definition
//! (<https://docs.getdbt.com/reference/resource-properties/constraints>).

use serde_json::Value as Json;

use super::quote_identifier;

fn text<'a>(constraint: &'a Json, key: &str) -> Option<&'a str> {
    constraint.get(key).and_then(Json::as_str).filter(|text| !text.is_empty())
}

fn list(constraint: &Json, key: &str) -> Option<String> {
    let items = constraint.get(key)?.as_array().filter(|items| !items.is_empty())?;
    Some(items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "))
}

/// The target of a foreign key. DuckDB takes no database in it.
fn foreign_target(to: &str) -> &str {
    match to.matches('.').count() {
        0 | 1 => to,
        _ => to.split_once('.').map_or(to, |(_, rest)| rest),
    }
}

/// A constraint of one column, as it follows the column's type.
pub fn column_constraint(constraint: &Json) -> Option<String> {
    let expression = text(constraint, "expression");
    let with_expression = |words: &str| match expression {
        Some(expression) => format!("{words} {expression}"),
        None => words.to_owned(),
    };
    match text(constraint, "type")? {
        "check" => expression.map(|expression| format!("check ({expression})")),
        "not_null" => Some(with_expression("not null")),
        "unique" => Some(with_expression("unique")),
        "primary_key" => Some(with_expression("primary key")),
        "foreign_key" => Some(match (text(constraint, "to"), list(constraint, "to_columns")) {
            (Some(to), Some(columns)) => format!("references {} ({columns})", foreign_target(to)),
            _ => with_expression("references"),
        }),
        "custom" => expression.map(str::to_owned),
        _ => None,
    }
}

/// A constraint of a table, as it follows the columns.
pub fn model_constraint(constraint: &Json) -> Option<String> {
    let prefix = text(constraint, "name").map(|name| format!("constraint {name} ")).unwrap_or_default();
    let columns = list(constraint, "columns").unwrap_or_default();
    let expression = text(constraint, "expression");
    let middle = expression.map(|expression| format!(" {expression}")).unwrap_or_default();
    let rest = match text(constraint, "type")? {
        "check" => format!("check ({})", expression?),
        "unique" => format!("unique{middle} ({columns})"),
        "primary_key" => format!("primary key{middle} ({columns})"),
        "foreign_key" => match (text(constraint, "to"), list(constraint, "to_columns")) {
            (Some(to), Some(to_columns)) => {
                format!("foreign key ({columns}) references {} ({to_columns})", foreign_target(to))
            }
            _ => format!("foreign key ({columns}) references {}", expression?),
        },
        "custom" => expression?.to_owned(),
        _ => return None,
    };
    Some(format!("{prefix}{rest}"))
}

/// A column of a contract: name, type, constraints.
pub fn column_definition(column: &Json) -> String {
    let name = text(column, "name").unwrap_or_default();
    let quoted = column.get("quote").and_then(Json::as_bool).unwrap_or(false);
    let name = if quoted { quote_identifier(name) } else { name.to_owned() };
    let mut words = vec![format!("{name} {}", text(column, "data_type").unwrap_or_default())];
    let constraints = column.get("constraints").and_then(Json::as_array);
    words.extend(constraints.into_iter().flatten().filter_map(column_constraint));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_carry_their_constraints() {
        let column = json!({
            "name": "id", "data_type": "integer",
            "constraints": [{"type": "not_null"}, {"type": "check", "expression": "id > 0"}]
        });
        assert_eq!(column_definition(&column), "id integer not null check (id > 0)");
    }

    #[test]
    fn foreign_keys_lose_the_database() {
        let key = json!({
            "type": "foreign_key", "columns": ["a"], "to": "\"db\".\"main\".\"t\"", "to_columns": ["id"]
        });
        assert_eq!(model_constraint(&key).unwrap(), "foreign key (a) references \"main\".\"t\" (id)");
    }
}
