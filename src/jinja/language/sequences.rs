//! The filters of Jinja2 for sequences and mappings.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use indexmap::IndexSet;
use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, State};

use super::operators::arithmetic;
use crate::jinja::builtins::{Builtin, filter, known_filters, known_tests, test};
use crate::jinja::error::raise_message;
use crate::jinja::values::{
    Arguments, Undefined, check_defined, compare, equal, is_undefined, iterate, list, pairs, python_repr,
    python_str, sort_values, tuple, write_str,
};
use crate::text::nearest;

/// The filters by name.
pub const FILTERS: &[(&str, Builtin)] = &[
    ("list", |_, args| iterate(&args.exactly::<1>()?[0]).map(list)),
    ("first", first),
    ("last", last),
    ("random", random),
    ("join", join),
    ("reverse", reverse),
    ("sum", sum),
    ("min", |_, args| extreme(args, std::cmp::Ordering::Less)),
    ("max", |_, args| extreme(args, std::cmp::Ordering::Greater)),
    ("sort", sort),
    ("unique", unique),
    ("dictsort", dictsort),
    ("groupby", groupby),
    ("batch", batch),
    ("slice", slice),
    ("map", map),
    ("select", |state, args| pick(state, args, true)),
    ("reject", |state, args| pick(state, args, false)),
    ("selectattr", |state, args| pick_by_attribute(state, args, true)),
    ("rejectattr", |state, args| pick_by_attribute(state, args, false)),
];

fn first(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value] = args.exactly()?;
    let first = iterate(&value)?.into_iter().next();
    Ok(first.unwrap_or_else(|| Undefined::value("No first item, sequence was empty.")))
}

fn last(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value] = args.exactly()?;
    let last = iterate(&value)?.pop();
    Ok(last.unwrap_or_else(|| Undefined::value("No last item, sequence was empty.")))
}

fn random(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value] = args.exactly()?;
    let items = iterate(&value)?;
    // The standard library's hashers are seeded at random.
    let number = RandomState::new().build_hasher().finish() as usize;
    let picked = number.checked_rem(items.len()).map(|index| items[index].clone());
    Ok(picked.unwrap_or_else(|| Undefined::value("No random item, sequence was empty.")))
}

fn join(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, separator, attribute] = args.bind(["value", "d", "attribute"], 1)?;
    let separator = separator.map_or_else(String::new, |separator| python_str(&separator));
    let path = Path::of(attribute.as_ref());
    let mut out = String::new();
    for (index, item) in iterate(&value.unwrap_or_default())?.iter().enumerate() {
        if index > 0 {
            out.push_str(&separator);
        }
        write_str(&mut out, &path.get(item)?);
    }
    Ok(Value::from(out))
}

fn reverse(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value] = args.exactly()?;
    if value.kind() == ValueKind::String {
        return Ok(Value::from(python_str(&value).chars().rev().collect::<String>()));
    }
    let mut items = iterate(&value)?;
    items.reverse();
    Ok(list(items))
}

fn sum(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, attribute, start] = args.bind(["iterable", "attribute", "start"], 1)?;
    let path = Path::of(attribute.as_ref());
    let start = start.unwrap_or_else(|| Value::from(0));
    let items = iterate(&value.unwrap_or_default())?;
    items.iter().try_fold(start, |sum, item| arithmetic(&sum, "+", &path.get(item)?))
}

/// What `attribute='a.b.0'` reaches.
struct Path(Vec<Value>);

impl Path {
    fn of(attribute: Option<&Value>) -> Path {
        Path(match attribute {
            Some(value) if value.kind() == ValueKind::String => {
                let parts = value.as_str().unwrap_or_default().split('.');
                parts
                    .map(|part| part.parse::<usize>().map_or_else(|_| Value::from(part), Value::from))
                    .collect()
            }
            Some(value) if !value.is_none() => vec![value.clone()],
            _ => Vec::new(),
        })
    }

    fn get(&self, item: &Value) -> Result<Value, Error> {
        self.0.iter().try_fold(item.clone(), |value, part| {
            check_defined(&[&value])?;
            value.get_item(part)
        })
    }
}

/// A value as filters compare it: strings without regard to case, unless that is asked for.
fn folded(value: Value, case_sensitive: bool) -> Value {
    match value.as_str() {
        Some(text) if !case_sensitive && value.kind() == ValueKind::String => {
            Value::from(text.to_lowercase())
        }
        _ => value,
    }
}

fn is_true(value: Option<Value>) -> bool {
    value.is_some_and(|value| value.is_true())
}

fn extreme(args: &Arguments<'_>, wanted: std::cmp::Ordering) -> Result<Value, Error> {
    let [value, case_sensitive, attribute] = args.bind(["value", "case_sensitive", "attribute"], 1)?;
    let (case_sensitive, path) = (is_true(case_sensitive), Path::of(attribute.as_ref()));
    let mut best: Option<(Value, Value)> = None;
    for item in iterate(&value.unwrap_or_default())? {
        let key = folded(path.get(&item)?, case_sensitive);
        let operator = if wanted == std::cmp::Ordering::Less { "<" } else { ">" };
        match &best {
            Some((known, _)) if compare(&key, known, operator)? != wanted => {}
            _ => best = Some((key, item)),
        }
    }
    Ok(best.map_or_else(|| Undefined::value("No aggregated item, sequence was empty."), |(_, item)| item))
}

fn sort(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, reverse, case_sensitive, attribute] =
        args.bind(["value", "reverse", "case_sensitive", "attribute"], 1)?;
    let case_sensitive = is_true(case_sensitive);
    let attribute = attribute.filter(|attribute| !attribute.is_none());
    let paths: Vec<Path> = match attribute.as_ref().and_then(|attribute| attribute.as_str()) {
        Some(names) => names.split(',').map(|name| Path::of(Some(&Value::from(name)))).collect(),
        None => vec![Path::of(attribute.as_ref())],
    };
    let mut keyed = Vec::new();
    for item in iterate(&value.unwrap_or_default())? {
        let keys = paths.iter().map(|path| Ok(folded(path.get(&item)?, case_sensitive)));
        let mut keys = keys.collect::<Result<Vec<_>, Error>>()?;
        let key = if keys.len() == 1 { keys.pop().unwrap_or_default() } else { list(keys) };
        keyed.push((key, item));
    }
    sort_values(keyed, is_true(reverse)).map(list)
}

fn unique(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, case_sensitive, attribute] = args.bind(["value", "case_sensitive", "attribute"], 1)?;
    let (case_sensitive, path) = (is_true(case_sensitive), Path::of(attribute.as_ref()));
    let mut seen = IndexSet::new();
    let mut result = Vec::new();
    for item in iterate(&value.unwrap_or_default())? {
        let key = crate::jinja::values::hashable(folded(path.get(&item)?, case_sensitive))?;
        if seen.insert(key) {
            result.push(item);
        }
    }
    Ok(list(result))
}

fn dictsort(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, case_sensitive, by, reverse] = args.bind(["value", "case_sensitive", "by", "reverse"], 1)?;
    let case_sensitive = is_true(case_sensitive);
    let by = by.unwrap_or_else(|| Value::from("key"));
    let by_value = match by.as_str() {
        Some("key") => false,
        Some("value") => true,
        _ => return Err(raise_message("You can only sort by either \"key\" or \"value\"")),
    };
    let value = value.unwrap_or_default();
    check_defined(&[&value])?;
    let pairs = pairs(&value).ok_or_else(|| raise_message("dictsort needs a mapping"))?;
    let keyed = pairs.into_iter().map(|(key, value)| {
        let sorted_by = if by_value { value.clone() } else { key.clone() };
        (folded(sorted_by, case_sensitive), tuple(vec![key, value]))
    });
    sort_values(keyed.collect(), is_true(reverse)).map(list)
}

/// A group of `groupby`: a pair that also has names.
#[derive(Debug)]
struct Group {
    grouper: Value,
    list: Value,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some("grouper") => return Some(self.grouper.clone()),
            Some("list") => return Some(self.list.clone()),
            _ => {}
        }
        match key.as_i64()? {
            0 => Some(self.grouper.clone()),
            1 => Some(self.list.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(vec![self.grouper.clone(), self.list.clone()])
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}, {})", python_repr(&self.grouper), python_repr(&self.list))
    }
}

fn groupby(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, attribute, default, case_sensitive] =
        args.bind(["value", "attribute", "default", "case_sensitive"], 2)?;
    let (case_sensitive, path) = (is_true(case_sensitive), Path::of(attribute.as_ref()));
    let mut keyed = Vec::new();
    for item in iterate(&value.unwrap_or_default())? {
        let mut key = path.get(&item)?;
        if let (true, Some(default)) = (is_undefined(&key), &default) {
            key = default.clone();
        }
        keyed.push((folded(key.clone(), case_sensitive), tuple(vec![key, item])));
    }
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for pair in sort_values(keyed, false)? {
        let [key, item] = [0, 1].map(|index| pair.get_item_by_index(index).unwrap_or_default());
        match groups.last_mut() {
            Some((known, items))
                if equal(&folded(known.clone(), case_sensitive), &folded(key.clone(), case_sensitive)) =>
            {
                items.push(item);
            }
            _ => groups.push((key, vec![item])),
        }
    }
    let groups =
        groups.into_iter().map(|(grouper, items)| Value::from_object(Group { grouper, list: list(items) }));
    Ok(list(groups.collect()))
}

fn positive_count(value: Option<Value>) -> Result<usize, Error> {
    let count = value.and_then(|value| value.as_usize()).filter(|count| *count > 0);
    count.ok_or_else(|| raise_message("the count must be a number above zero"))
}

fn batch(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, count, fill] = args.bind(["value", "linecount", "fill_with"], 2)?;
    let count = positive_count(count)?;
    let items = iterate(&value.unwrap_or_default())?;
    let batches = items.chunks(count).map(|batch| {
        let mut batch = batch.to_vec();
        if let Some(fill) = fill.as_ref().filter(|fill| !fill.is_none()) {
            batch.resize(count.min(100_000).max(batch.len()), fill.clone());
        }
        list(batch)
    });
    Ok(list(batches.collect()))
}

fn slice(_: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let [value, count, fill] = args.bind(["value", "slices", "fill_with"], 2)?;
    let count = positive_count(count)?;
    let items = iterate(&value.unwrap_or_default())?;
    if count > 100_000 {
        return Err(raise_message("too many slices"));
    }
    let (each, longer) = (items.len() / count, items.len() % count);
    let mut rest = items.into_iter();
    let slices = (0..count).map(|index| {
        let mut slice: Vec<Value> = rest.by_ref().take(each + usize::from(index < longer)).collect();
        if let Some(fill) = fill.as_ref().filter(|fill| !fill.is_none() && index >= longer && longer > 0) {
            slice.push(fill.clone());
        }
        list(slice)
    });
    Ok(list(slices.collect()))
}

fn map(state: &mut State<'_, '_>, args: &Arguments<'_>) -> Result<Value, Error> {
    let items = iterate_if_true(&args.positional[0])?;
    if args.positional.len() == 1 && args.named.has("attribute") {
        let path = Path::of(Some(&args.named.get("attribute")?));
        let default =
            if args.named.has("default") { Some(args.named.get::<Value>("default")?) } else { None };
        let value = |item: &Value| match (path.get(item)?, &default) {
            (value, Some(default)) if is_undefined(&value) => Ok(default.clone()),
            (value, _) => Ok(value),
        };
        return items.iter().map(value).collect::<Result<Vec<_>, Error>>().map(list);
    }
    let [_, name, rest @ ..] = args.positional else {
        return Err(raise_message("map requires a filter argument"));
    };
    let name = python_str(name);
    let Some(call) = filter(&name) else {
        return Err(unknown("filter", &name, nearest(&name, known_filters())));
    };
    let value = |item| call(state, &Arguments::split(&name, &with_first(item, rest), args.named.clone()));
    items.into_iter().map(value).collect::<Result<Vec<_>, Error>>().map(list)
}

/// The items of a value; Jinja's filters that pick and map take whatever is false, none for one, for no items.
fn iterate_if_true(value: &Value) -> Result<Vec<Value>, Error> {
    if value.is_true() { iterate(value) } else { Ok(Vec::new()) }
}

fn with_first(first: Value, rest: &[Value]) -> Vec<Value> {
    std::iter::once(first).chain(rest.iter().cloned()).collect()
}

fn unknown(what: &str, name: &str, similar: Option<&str>) -> Error {
    let hint = similar.map_or_else(String::new, |similar| format!(" Did you mean '{similar}'?"));
    raise_message(format!("No {what} named '{name}'.{hint}"))
}

/// Whether a value passes a test given by name and arguments; without a test, whether it is true.
fn passes(state: &mut State<'_, '_>, value: Value, rest: &[Value], named: &Kwargs) -> Result<bool, Error> {
    let [name, rest @ ..] = rest else {
        return Ok(value.is_true());
    };
    let name = python_str(name);
    let Some(call) = operator_test(&name).or_else(|| test(&name)) else {
        return Err(unknown("test", &name, nearest(&name, known_tests())));
    };
    let args = with_first(value, rest);
    call(state, &Arguments::split(&name, &args, named.clone())).map(|answer| answer.is_true())
}

/// Tests may be named by their operators here: `select('>', 2)`.
fn operator_test(name: &str) -> Option<Builtin> {
    let named = match name {
        "==" => "eq",
        "!=" => "ne",
        "<" => "lt",
        "<=" => "le",
        ">" => "gt",
        ">=" => "ge",
        _ => return None,
    };
    test(named)
}

fn pick(state: &mut State<'_, '_>, args: &Arguments<'_>, wanted: bool) -> Result<Value, Error> {
    let mut picked = Vec::new();
    for item in iterate_if_true(&args.positional[0])? {
        if passes(state, item.clone(), &args.positional[1..], &args.named)? == wanted {
            picked.push(item);
        }
    }
    Ok(list(picked))
}

fn pick_by_attribute(state: &mut State<'_, '_>, args: &Arguments<'_>, wanted: bool) -> Result<Value, Error> {
    let [value, attribute, rest @ ..] = args.positional else {
        return Err(raise_message("Missing parameter for attribute name"));
    };
    let path = Path::of(Some(attribute));
    let mut picked = Vec::new();
    for item in iterate_if_true(value)? {
        if passes(state, path.get(&item)?, rest, &args.named)? == wanted {
            picked.push(item);
        }
    }
    Ok(list(picked))
}
