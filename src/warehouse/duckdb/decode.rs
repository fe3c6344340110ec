//! From DuckDB's vectors to cells.
//!
//! A [`Decoder`] is made once for each column of a result out of its logical type; for every chunk it becomes a
//! [`View`] that knows where the vector's data are.

use chrono_tz::Tz;
use libduckdb_sys as ffi;

use super::calendar;
use super::library;
use super::native::{Chunk, LogicalType};
use crate::warehouse::Cell;

/// How the values of a type lie in a vector, and what becomes of them.
pub enum Decoder {
    Bool,
    TinyInt,
    SmallInt,
    Integer,
    BigInt,
    HugeInt,
    UTinyInt,
    USmallInt,
    UInteger,
    UBigInt,
    UHugeInt,
    Float,
    Double,
    /// An integer of the storage type, with this many digits after the point.
    Decimal {
        storage: Box<Decoder>,
        scale: usize,
    },
    Text,
    Blob,
    Bit,
    BigNum,
    Uuid,
    Date,
    Time,
    TimeNanos,
    TimeTz,
    /// An integer that counts this many units in a second.
    Timestamp {
        units: i64,
    },
    TimestampTz {
        zone: Tz,
    },
    Interval,
    Enum {
        storage: Box<Decoder>,
        values: Vec<String>,
    },
    List(Box<Decoder>),
    Array {
        child: Box<Decoder>,
        size: usize,
    },
    Struct(Vec<(String, Decoder)>),
    Tuple(Vec<Decoder>),
    Map {
        key: Box<Decoder>,
        value: Box<Decoder>,
    },
    Union(Vec<Decoder>),
    /// A type this version does not know; its values are shown as `?`.
    Unknown,
}

impl Decoder {
    /// The decoder for a type; `zone` is the time zone of the session.
    pub fn new(kind: &LogicalType, zone: Tz) -> Self {
        let boxed = |kind: &LogicalType| Box::new(Decoder::new(kind, zone));
        match kind.id() {
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => Decoder::Decimal {
                storage: Box::new(Decoder::integer(kind.decimal_storage())),
                scale: usize::from(kind.decimal().1),
            },
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_ENUM => Decoder::Enum {
                storage: Box::new(Decoder::integer(kind.enum_storage())),
                values: kind.enum_values(),
            },
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ => Decoder::TimestampTz { zone },
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_LIST => Decoder::List(boxed(&kind.list_child())),
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => {
                let (child, size) = kind.array_child();
                Decoder::Array { child: boxed(&child), size }
            }
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_MAP => {
                let (key, value) = kind.map_children();
                Decoder::Map { key: boxed(&key), value: boxed(&value) }
            }
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_STRUCT => {
                let children = kind.struct_children();
                let unnamed = children.iter().all(|(name, _)| name.is_empty());
                let mut children =
                    children.iter().map(|(name, child)| (name.clone(), Decoder::new(child, zone)));
                if unnamed {
                    Decoder::Tuple(children.map(|(_, child)| child).collect())
                } else {
                    Decoder::Struct(children.by_ref().collect())
                }
            }
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_UNION => {
                let members = kind.union_members();
                Decoder::Union(members.iter().map(|(_, member)| Decoder::new(member, zone)).collect())
            }
            id => Decoder::scalar(id),
        }
    }

    fn scalar(id: ffi::duckdb_type) -> Self {
        match id {
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => Decoder::Bool,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => Decoder::Float,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => Decoder::Double,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => Decoder::Text,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_BLOB | ffi::DUCKDB_TYPE_DUCKDB_TYPE_GEOMETRY => Decoder::Blob,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIT => Decoder::Bit,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGNUM => Decoder::BigNum,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_UUID => Decoder::Uuid,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_DATE => Decoder::Date,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME => Decoder::Time,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_NS => Decoder::TimeNanos,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_TZ => Decoder::TimeTz,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP => Decoder::Timestamp { units: 1_000_000 },
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S => Decoder::Timestamp { units: 1 },
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_MS => Decoder::Timestamp { units: 1_000 },
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS => Decoder::Timestamp { units: 1_000_000_000 },
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTERVAL => Decoder::Interval,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_SQLNULL => Decoder::Integer,
            id => Decoder::integer(id),
        }
    }

    fn integer(id: ffi::duckdb_type) -> Self {
        match id {
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_TINYINT => Decoder::TinyInt,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT => Decoder::SmallInt,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTEGER => Decoder::Integer,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => Decoder::BigInt,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT => Decoder::HugeInt,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => Decoder::UTinyInt,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => Decoder::USmallInt,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => Decoder::UInteger,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT => Decoder::UBigInt,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_UHUGEINT => Decoder::UHugeInt,
            _ => Decoder::Unknown,
        }
    }
}

/// Appends the rows of a chunk, at most `limit` of them, to `rows`. There is a decoder for each column.
pub fn append_rows(chunk: &Chunk, decoders: &[Decoder], limit: usize, rows: &mut Vec<Vec<Cell>>) {
    let views: Vec<View> =
        decoders.iter().enumerate().map(|(index, decoder)| View::new(decoder, chunk.vector(index))).collect();
    for row in 0..chunk.rows().min(limit) {
        rows.push(views.iter().map(|view| view.cell(row)).collect());
    }
}

/// A decoder at work on a vector, with the vectors inside it. Must not outlive the chunk.
struct View<'decoder> {
    decoder: &'decoder Decoder,
    data: *const u8,
    /// A bit for each row that has a value; null if all have.
    validity: *const u64,
    children: Vec<View<'decoder>>,
}

impl<'decoder> View<'decoder> {
    fn new(decoder: &'decoder Decoder, vector: ffi::duckdb_vector) -> Self {
        // SAFETY: the vector belongs to a living chunk and has the decoder's type, so the children asked for
        // are there.
        unsafe {
            let struct_child = |index: usize, child: &'decoder Decoder| {
                View::new(child, library::duckdb_struct_vector_get_child(vector, index as ffi::idx_t))
            };
            let children = match decoder {
                Decoder::List(child) => vec![View::new(child, library::duckdb_list_vector_get_child(vector))],
                Decoder::Array { child, .. } => {
                    vec![View::new(child, library::duckdb_array_vector_get_child(vector))]
                }
                Decoder::Map { key, value } => {
                    let entries = library::duckdb_list_vector_get_child(vector);
                    vec![
                        View::new(key, library::duckdb_struct_vector_get_child(entries, 0)),
                        View::new(value, library::duckdb_struct_vector_get_child(entries, 1)),
                    ]
                }
                Decoder::Struct(fields) => {
                    fields.iter().enumerate().map(|(index, (_, child))| struct_child(index, child)).collect()
                }
                Decoder::Tuple(fields) => {
                    fields.iter().enumerate().map(|(index, child)| struct_child(index, child)).collect()
                }
                // A union is a struct whose first field says which of the others counts.
                Decoder::Union(members) => std::iter::once(struct_child(0, &Decoder::UTinyInt))
                    .chain(members.iter().enumerate().map(|(index, member)| struct_child(index + 1, member)))
                    .collect(),
                _ => Vec::new(),
            };
            View {
                decoder,
                data: library::duckdb_vector_get_data(vector) as *const u8,
                validity: library::duckdb_vector_get_validity(vector),
                children,
            }
        }
    }

    fn is_valid(&self, row: usize) -> bool {
        // SAFETY: a validity mask has a bit for every row of its vector.
        self.validity.is_null() || unsafe { *self.validity.add(row / 64) } >> (row % 64) & 1 == 1
    }

    /// The value of type T at a row.
    ///
    /// SAFETY: the vector holds values of that size and has the row.
    unsafe fn get<T: Copy>(&self, row: usize) -> T {
        unsafe { self.data.cast::<T>().add(row).read_unaligned() }
    }

    /// The bytes at a row of a vector of texts or blobs.
    ///
    /// SAFETY: as for `get`.
    unsafe fn bytes(&self, row: usize) -> &[u8] {
        unsafe {
            let string = self.data.cast::<ffi::duckdb_string_t>().add(row).cast_mut();
            let length = library::duckdb_string_t_length(*string) as usize;
            // DuckDB takes a pointer: short texts lie inside the vector itself.
            std::slice::from_raw_parts(library::duckdb_string_t_data(string).cast::<u8>(), length)
        }
    }

    fn text(&self, row: usize) -> String {
        // SAFETY: called for vectors of texts only.
        String::from_utf8_lossy(unsafe { self.bytes(row) }).into_owned()
    }

    /// The integer at a row, for the decoders that store one; 0 for the others.
    fn integer(&self, storage: &Decoder, row: usize) -> i128 {
        // SAFETY: the storage type says how wide the integers of the vector are.
        unsafe {
            match storage {
                Decoder::TinyInt => self.get::<i8>(row).into(),
                Decoder::SmallInt => self.get::<i16>(row).into(),
                Decoder::Integer => self.get::<i32>(row).into(),
                Decoder::BigInt => self.get::<i64>(row).into(),
                Decoder::HugeInt => {
                    let value: ffi::duckdb_hugeint = self.get(row);
                    i128::from(value.upper) << 64 | i128::from(value.lower)
                }
                Decoder::UTinyInt => self.get::<u8>(row).into(),
                Decoder::USmallInt => self.get::<u16>(row).into(),
                Decoder::UInteger => self.get::<u32>(row).into(),
                Decoder::UBigInt => self.get::<u64>(row).into(),
                _ => 0,
            }
        }
    }

    fn cell(&self, row: usize) -> Cell {
        if !self.is_valid(row) {
            return Cell::Null;
        }
        // SAFETY: every arm reads what a vector of its type holds.
        unsafe {
            match self.decoder {
                Decoder::Bool => Cell::Bool(self.get::<u8>(row) != 0),
                Decoder::UHugeInt => {
                    let value: ffi::duckdb_uhugeint = self.get(row);
                    let value = u128::from(value.upper) << 64 | u128::from(value.lower);
                    i128::try_from(value).map_or(Cell::UInt(value), Cell::Int)
                }
                Decoder::Float => Cell::Float(self.get::<f32>(row).into()),
                Decoder::Double => Cell::Float(self.get(row)),
                Decoder::Decimal { storage, scale } => {
                    Cell::Decimal(decimal(self.integer(storage, row), *scale))
                }
                Decoder::Text => Cell::Text(self.text(row)),
                Decoder::Blob => Cell::Blob(self.bytes(row).to_vec()),
                Decoder::Bit => Cell::Text(bit_string(self.bytes(row))),
                Decoder::BigNum => Cell::Text(big_number(self.bytes(row))),
                Decoder::Uuid => Cell::Text(uuid(self.integer(&Decoder::HugeInt, row))),
                Decoder::Date => calendar::date(self.get(row)),
                Decoder::Time => calendar::time(self.get::<i64>(row)),
                Decoder::TimeNanos => calendar::time(self.get::<i64>(row) / 1_000),
                Decoder::TimeTz => calendar::time_tz(self.get(row)),
                Decoder::Timestamp { units } => calendar::timestamp(self.get(row), *units),
                Decoder::TimestampTz { zone } => calendar::timestamp_tz(self.get(row), *zone),
                Decoder::Interval => {
                    let value: ffi::duckdb_interval = self.get(row);
                    Cell::Interval { months: value.months, days: value.days, micros: value.micros }
                }
                Decoder::Enum { storage, values } => {
                    let value = values.get(self.integer(storage, row) as usize);
                    Cell::Text(value.cloned().unwrap_or_default())
                }
                Decoder::List(_) => {
                    Cell::List(self.entries(row).map(|at| self.children[0].cell(at)).collect())
                }
                Decoder::Array { size, .. } => {
                    let range = row * size..(row + 1) * size;
                    Cell::Tuple(range.map(|at| self.children[0].cell(at)).collect())
                }
                Decoder::Struct(fields) => Cell::Struct(
                    fields
                        .iter()
                        .zip(&self.children)
                        .map(|((name, _), child)| (name.clone(), child.cell(row)))
                        .collect(),
                ),
                Decoder::Tuple(_) => Cell::Tuple(self.children.iter().map(|child| child.cell(row)).collect()),
                Decoder::Map { .. } => Cell::Map(
                    self.entries(row)
                        .map(|at| (self.children[0].cell(at), self.children[1].cell(at)))
                        .collect(),
                ),
                Decoder::Union(_) => {
                    let member = self.children[0].integer(&Decoder::UTinyInt, row) as usize + 1;
                    self.children.get(member).map_or(Cell::Null, |child| child.cell(row))
                }
                Decoder::Unknown => Cell::Text("?".to_owned()),
                integer => Cell::Int(self.integer(integer, row)),
            }
        }
    }

    /// Where the elements of a list or map lie in the child vector.
    ///
    /// SAFETY: the vector is one of lists.
    unsafe fn entries(&self, row: usize) -> std::ops::Range<usize> {
        let entry: ffi::duckdb_list_entry = unsafe { self.get(row) };
        entry.offset as usize..(entry.offset + entry.length) as usize
    }
}

/// An integer with its last digits behind a point.
fn decimal(value: i128, scale: usize) -> String {
    if scale == 0 {
        return value.to_string();
    }
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{whole}.{fraction}")
}

/// A UUID is stored as a number whose highest bit is flipped, so that it sorts like its text.
fn uuid(value: i128) -> String {
    uuid::Uuid::from_u128(value as u128 ^ 1 << 127).to_string()
}

/// The first byte says how many bits of the second one are padding.
fn bit_string(bytes: &[u8]) -> String {
    let Some((padding, bytes)) = bytes.split_first() else { return String::new() };
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    bits.skip(usize::from(*padding)).map(|bit| if bit == 1 { '1' } else { '0' }).collect()
}

/// Three bytes of header, whose highest bit is set for positive numbers, then the number with the most
/// significant byte first; in negative numbers all bits are flipped.
fn big_number(bytes: &[u8]) -> String {
    let Some((header, bytes)) = bytes.split_at_checked(3) else { return String::new() };
    let negative = header[0] & 0x80 == 0;
    // Groups of nine decimal digits, least significant first.
    let mut groups: Vec<u32> = vec![0];
    for byte in bytes {
        let mut carry = u64::from(if negative { !byte } else { *byte });
        for group in &mut groups {
            let value = u64::from(*group) * 256 + carry;
            *group = (value % 1_000_000_000) as u32;
            carry = value / 1_000_000_000;
        }
        if carry > 0 {
            groups.push(carry as u32);
        }
    }
    let mut text = String::from(if negative { "-" } else { "" });
    let mut groups = groups.iter().rev();
    text.extend(groups.next().map(u32::to_string));
    text.extend(groups.map(|group| format!("{group:09}")));
    text
}
