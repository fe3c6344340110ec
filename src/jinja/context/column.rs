//! `Column` and `api.Column` as templates see them.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::args::Args;
use super::value as values;
use crate::jinja::values::is_undefined;
use crate::sql::Column;

/// A column in a template.
#[derive(Debug, Clone)]
pub struct ColumnObject(pub Column);

impl ColumnObject {
    /// The column behind a value, if it is one.
    pub fn from_value(value: &Value) -> Option<&Column> {
        value.downcast_object_ref::<ColumnObject>().map(|object| &object.0)
    }
}

impl From<Column> for Value {
    fn from(column: Column) -> Value {
        Value::from_object(ColumnObject(column))
    }
}

fn size(size: Option<u64>) -> Value {
    size.map_or(Value::from(()), Value::from)
}

impl Object for ColumnObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let column = &self.0;
        Some(match key.as_str()? {
            "name" | "column" => Value::from(column.name.as_str()),
            "dtype" => Value::from(column.dtype.as_str()),
            "data_type" | "expanded_data_type" => Value::from(column.data_type()),
            "quoted" => Value::from(format!("\"{}\"", column.name)),
            "char_size" => size(column.char_size),
            "numeric_precision" => size(column.numeric_precision),
            "numeric_scale" => size(column.numeric_scale),
            "fields" => values::list(column.struct_fields().unwrap_or_default().into_iter().map(Value::from)),
            _ => return None,
        })
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let column = &self.0;
        let args = Args::new(method, args)?;
        Ok(match method {
            "is_string" => Value::from(column.is_string()),
            "is_number" => Value::from(column.is_number()),
            "is_numeric" => Value::from(column.is_numeric()),
            "is_integer" => Value::from(column.is_integer()),
            "is_float" => Value::from(column.is_float()),
            "is_struct" => Value::from(column.struct_fields().is_some()),
            "flatten" => values::list(column.flatten().into_iter().map(Value::from)),
            "string_size" => Value::from(column.string_size()),
            "can_expand_to" => {
                let other = args.required(0, "other_column")?;
                let wider = |other: &Column| other.is_string() && other.string_size() > column.string_size();
                Value::from(column.is_string() && ColumnObject::from_value(&other).is_some_and(wider))
            }
            "literal" => Value::from(format!("{}::{}", args.required(0, "value")?, column.data_type())),
            _ => return class_method(method, &args),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |size: Option<u64>| size.map_or("None".to_owned(), |size| size.to_string());
        let text = |text: &str| crate::jinja::python_repr(&Value::from(text));
        write!(
            f,
            "DuckDBColumn(column={}, dtype={}, char_size={}, numeric_precision={}, numeric_scale={}, fields=[])",
            text(&self.0.name),
            text(&self.0.dtype),
            size(self.0.char_size),
            size(self.0.numeric_precision),
            size(self.0.numeric_scale)
        )
    }
}

/// `api.Column`: the class, as against its instances.
#[derive(Debug)]
pub struct ColumnClass;

impl Object for ColumnClass {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        Ok(Value::from(new_column(&Args::new("Column", args)?)?))
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        class_method(method, &Args::new(method, args)?)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<class 'Column'>")
    }
}

fn class_method(method: &str, args: &Args) -> Result<Value, Error> {
    match method {
        "create" => {
            let dtype = translate_type(&args.string(1, "label_or_dtype")?);
            Ok(Value::from(Column::new(args.string(0, "name")?, dtype)))
        }
        "translate_type" => {
            args.required(0, "dtype").map(|dtype| Value::from(translate_type(&dtype.to_string())))
        }
        "string_type" => {
            let size = args.required(0, "size")?;
            Ok(Value::from(format!("character varying({size})")))
        }
        "numeric_type" => {
            let dtype = args.string(0, "dtype")?;
            match (args.optional_string(1, "precision"), args.optional_string(2, "scale")) {
                (Some(precision), Some(scale)) => Ok(Value::from(format!("{dtype}({precision},{scale})"))),
                _ => Ok(Value::from(dtype)),
            }
        }
        _ => Err(Error::new(ErrorKind::UnknownMethod, format!("a Column has no method '{method}'"))),
    }
}

/// dbt's type labels: `string` is written as `TEXT`, the rest as it is.
fn translate_type(dtype: &str) -> String {
    match dtype.to_uppercase().as_str() {
        "STRING" => "TEXT".to_owned(),
        _ => dtype.to_owned(),
    }
}

fn new_column(args: &Args) -> Result<Column, Error> {
    let number = |index: usize, name: &str| -> Result<Option<u64>, Error> {
        match args.get(index, name).filter(|value| !value.is_none() && !is_undefined(value)) {
            None => Ok(None),
            Some(value) => u64::try_from(value).map(Some),
        }
    };
    Ok(Column {
        name: args.string(0, "column")?,
        dtype: args.string(1, "dtype")?,
        char_size: number(2, "char_size")?,
        numeric_precision: number(3, "numeric_precision")?,
        numeric_scale: number(4, "numeric_scale")?,
    })
}
