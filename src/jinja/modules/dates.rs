use minijinja::Error;
use minijinja::value::Value;
pub(crate) fn arithmetic(_left: &Value, _op: &str, _right: &Value) -> Option<Result<Value, Error>> {
    None
}
pub(crate) fn negate(_value: &Value) -> Option<Value> {
    None
}
pub(crate) fn format(_value: &Value, _spec: &str) -> Option<Result<String, Error>> {
    None
}
