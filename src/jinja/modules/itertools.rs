//! `modules.itertools`. What is lazy in Python is a list here, so what never ends has a limit.

use std::fmt;
use std::sync::{Arc, LazyLock};

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};

use crate::jinja::error::raise_message;
use crate::jinja::language::operators::arithmetic;
use crate::jinja::values::{Arguments, Dict, Number, function, iterate, list, tuple};

/// How many items a result may have.
const MAX_ITEMS: usize = 1_000_000;
/// How many items of an endless iterator are made.
const ENDLESS: usize = 10_000;

type Member = fn(&Arguments<'_>) -> Result<Vec<Value>, Error>;

/// What is done when a function of the module is called.
pub type Deprecated = Arc<dyn Fn() -> Result<(), Error> + Send + Sync>;

/// The value `modules.itertools`.
pub fn itertools(deprecated: &Deprecated) -> Value {
    let announced = |member: &Value| {
        let member = Announced { member: member.clone(), deprecated: deprecated.clone() };
        Value::from_object(member)
    };
    Value::from_object(Dict::new(MEMBERS.iter().map(|(name, member)| (name.clone(), announced(member)))))
}

/// A function of the module, whose calls are told.
struct Announced {
    member: Value,
    deprecated: Deprecated,
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.member, f)
    }
}

impl Object for Announced {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        (self.deprecated)()?;
        self.member.call(state, args)
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        (self.deprecated)()?;
        self.member.call_method(state, method, args)
    }
}

static MEMBERS: LazyLock<Vec<(Value, Value)>> = LazyLock::new(members);

fn members() -> Vec<(Value, Value)> {
    let members: [(&'static str, Member); 12] = [
        ("accumulate", accumulate),
        ("combinations", |args| picks(args, Picks { repeated: false, ordered: false })),
        ("combinations_with_replacement", |args| picks(args, Picks { repeated: true, ordered: false })),
        ("compress", compress),
        ("count", count),
        ("cycle", cycle),
        ("islice", islice),
        ("permutations", |args| picks(args, Picks { repeated: false, ordered: true })),
        ("product", product),
        ("repeat", repeat),
        ("tee", tee),
        ("zip_longest", zip_longest),
    ];
    let mut pairs: Vec<(Value, Value)> = members
        .map(|(name, member)| (Value::from(name), function(name, move |_, args| member(&args).map(list))))
        .to_vec();
    pairs.push((Value::from("chain"), Value::from_object(Chain)));
    pairs.push((
        Value::from("starmap"),
        function("starmap", |state, args| {
            let [call, items] = args.exactly()?;
            let items = iterate(&items)?;
            let results = items.iter().map(|args| call.call(state, &iterate(args)?));
            results.collect::<Result<Vec<_>, Error>>().map(list)
        }),
    ));
    pairs
}

/// `chain(a, b)` and `chain.from_iterable(items)`
#[derive(Debug)]
struct Chain;

impl Object for Chain {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        joined(args).map(list)
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if method != "from_iterable" {
            return Err(Error::from(minijinja::ErrorKind::UnknownMethod));
        }
        let [items] = Arguments::new(method, args)?.exactly()?;
        joined(&iterate(&items)?).map(list)
    }
}

fn joined(sequences: &[Value]) -> Result<Vec<Value>, Error> {
    let mut items = Vec::new();
    for sequence in sequences {
        items.extend(iterate(sequence)?);
    }
    Ok(items)
}

fn limited(items: usize) -> Result<(), Error> {
    if items > MAX_ITEMS {
        return Err(raise_message(format!("more than {MAX_ITEMS} items")));
    }
    Ok(())
}

fn accumulate(args: &Arguments<'_>) -> Result<Vec<Value>, Error> {
    let [items] = args.exactly()?;
    let mut sums: Vec<Value> = Vec::new();
    for item in iterate(&items)? {
        let sum = match sums.last() {
            Some(sum) => arithmetic(sum, "+", &item)?,
            None => item,
        };
        sums.push(sum);
    }
    Ok(sums)
}

fn compress(args: &Arguments<'_>) -> Result<Vec<Value>, Error> {
    let [data, selectors] = args.bind(["data", "selectors"], 2)?.map(Option::unwrap_or_default);
    let selected = iterate(&data)?.into_iter().zip(iterate(&selectors)?);
    Ok(selected.filter(|(_, selector)| selector.is_true()).map(|(item, _)| item).collect())
}

fn count(args: &Arguments<'_>) -> Result<Vec<Value>, Error> {
    let [start, step] = args.bind(["start", "step"], 0)?;
    let start = start.unwrap_or_else(|| Value::from(0));
    let step = step.unwrap_or_else(|| Value::from(1));
    let mut items = vec![start];
    while items.len() < ENDLESS {
        let next = arithmetic(&items[items.len() - 1], "+", &step)?;
        items.push(next);
    }
    Ok(items)
}

fn cycle(args: &Arguments<'_>) -> Result<Vec<Value>, Error> {
    let [items] = args.exactly()?;
    Ok(iterate(&items)?.into_iter().cycle().take(ENDLESS).collect())
}

fn islice(args: &Arguments<'_>) -> Result<Vec<Value>, Error> {
    let bound = |value: &Value| match Number::of(value) {
        Some(Number::Int(number)) if number >= 0 => Ok(Some(number as usize)),
        None if value.is_none() => Ok(None),
        _ => Err(raise_message("Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.")),
    };
    let (items, start, stop, step) = match args.positional {
        [items, stop] => (items, 0, bound(stop)?, 1),
        [items, start, stop] => (items, bound(start)?.unwrap_or(0), bound(stop)?, 1),
        [items, start, stop, step] => {
            (items, bound(start)?.unwrap_or(0), bound(stop)?, bound(step)?.unwrap_or(1).max(1))
        }
        _ => return Err(raise_message("islice expected 2 to 4 arguments")),
    };
    let items = iterate(items)?;
    let stop = stop.unwrap_or(items.len()).min(items.len());
    Ok(items.into_iter().take(stop).skip(start).step_by(step).collect())
}

fn product(args: &Arguments<'_>) -> Result<Vec<Value>, Error> {
    let repeat = if args.named.has("repeat") { args.named.get::<usize>("repeat")? } else { 1 };
    let pools = args.positional.iter().map(iterate).collect::<Result<Vec<_>, Error>>()?;
    limited(pools.len().saturating_mul(repeat))?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for _ in 0..repeat {
        for pool in &pools {
            limited(rows.len().saturating_mul(pool.len()))?;
            let extended = rows.iter().flat_map(|row| {
                pool.iter().map(move |item| row.iter().cloned().chain([item.clone()]).collect())
            });
            rows = extended.collect();
        }
    }
    Ok(rows.into_iter().map(tuple).collect())
}

/// How items are picked: an item more than once or not, orders counted or not.
#[derive(Clone, Copy)]
struct Picks {
    repeated: bool,
    ordered: bool,
}

fn picks(args: &Arguments<'_>, how: Picks) -> Result<Vec<Value>, Error> {
    let [items, length] = args.bind(["iterable", "r"], 1)?;
    let items = iterate(&items.unwrap_or_default())?;
    let length = length.filter(|length| !length.is_none());
    let length = match length {
        Some(length) => length.as_usize().ok_or_else(|| raise_message("r must be non-negative"))?,
        None => items.len(),
    };
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    if length > items.len() && (items.is_empty() || !how.repeated) {
        return Ok(Vec::new());
    }
    limited(length)?;
    for _ in 0..length {
        let mut extended = Vec::new();
        for row in &rows {
            let from = match row.last() {
                Some(last) if !how.ordered => last + usize::from(!how.repeated),
                _ => 0,
            };
            for index in from..items.len() {
                if how.ordered && row.contains(&index) {
                    continue;
                }
                extended.push(row.iter().copied().chain([index]).collect());
            }
            limited(extended.len())?;
        }
        rows = extended;
    }
    Ok(rows
        .into_iter()
        .map(|row| tuple(row.into_iter().map(|index| items[index].clone()).collect()))
        .collect())
}

fn repeat(args: &Arguments<'_>) -> Result<Vec<Value>, Error> {
    let [item, times] = args.bind(["object", "times"], 1)?;
    let times = times.map_or(Some(ENDLESS), |times| times.as_usize()).unwrap_or(0);
    limited(times)?;
    Ok(vec![item.unwrap_or_default(); times])
}

fn tee(args: &Arguments<'_>) -> Result<Vec<Value>, Error> {
    let [items, copies] = args.bind(["iterable", "n"], 1)?;
    let items = iterate(&items.unwrap_or_default())?;
    let copies = copies.map_or(Some(2), |copies| copies.as_usize()).unwrap_or(0);
    limited(copies.saturating_mul(items.len().max(1)))?;
    Ok((0..copies).map(|_| list(items.clone())).collect())
}

fn zip_longest(args: &Arguments<'_>) -> Result<Vec<Value>, Error> {
    let fill = if args.named.has("fillvalue") { args.named.get("fillvalue")? } else { Value::from(()) };
    let columns = args.positional.iter().map(iterate).collect::<Result<Vec<_>, Error>>()?;
    let length = columns.iter().map(Vec::len).max().unwrap_or(0);
    let row =
        |index: usize| columns.iter().map(|column| column.get(index).unwrap_or(&fill).clone()).collect();
    Ok((0..length).map(|index| tuple(row(index))).collect())
}
