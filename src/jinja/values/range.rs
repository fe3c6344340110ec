//! Python's range.

use std::fmt;
use std::sync::Arc;

use minijinja::Error;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

use super::list::{integer, position};
use super::{Arguments, Undefined};
use crate::jinja::error::raise_message;

/// How long a range may be; the sandbox that dbt runs templates in has the same limit.
const MAX_LENGTH: i128 = 100_000;

/// Numbers from a start to an end, which is not part of it, in steps.
#[derive(Debug)]
pub(crate) struct Range {
    start: i64,
    stop: i64,
    step: i64,
    length: usize,
}

impl Range {
    /// `range(stop)`, `range(start, stop)`, `range(start, stop, step)`
    pub(crate) fn call(args: &Arguments<'_>) -> Result<Value, Error> {
        let (start, stop, step) = match args.positional {
            [stop] => (0, integer(stop)?, 1),
            [start, stop] => (integer(start)?, integer(stop)?, 1),
            [start, stop, step] => (integer(start)?, integer(stop)?, integer(step)?),
            other => {
                let message = format!("range expected 1 to 3 arguments, got {}", other.len());
                return Err(raise_message(message));
            }
        };
        if step == 0 {
            return Err(raise_message("range() arg 3 must not be zero"));
        }
        let (distance, stride) = match step > 0 {
            true => (i128::from(stop) - i128::from(start), i128::from(step)),
            false => (i128::from(start) - i128::from(stop), -i128::from(step)),
        };
        let length = if distance <= 0 { 0 } else { (distance - 1) / stride + 1 };
        if length > MAX_LENGTH {
            let message = format!("Range too big. Ranges are limited to {MAX_LENGTH} items.");
            return Err(raise_message(message));
        }
        Ok(Value::from_object(Range { start, stop, step, length: length as usize }))
    }

    fn item(&self, index: usize) -> Value {
        Value::from(self.start + self.step * index as i64)
    }
}

impl Object for Range {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match position(key.as_i64()?, self.length) {
            Some(index) => Some(self.item(index)),
            None => Some(Undefined::value(format!("range object has no element {key}"))),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values((0..self.length).map(|index| self.item(index)).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.length)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "range({}, {}", self.start, self.stop)?;
        if self.step != 1 {
            write!(f, ", {}", self.step)?;
        }
        f.write_str(")")
    }
}
