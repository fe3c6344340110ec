//! Names as minijinja can lex them.

use std::borrow::Cow;

/// Names in Jinja2, if they stand where only a name can be; to minijinja they always mean something.
const RESERVED: [&str; 9] = ["super", "self", "and", "or", "not", "in", "is", "if", "else"];

/// A name as minijinja can lex it: it knows ASCII only and has a meaning of its own for some names.
pub fn mangle(name: &str) -> Cow<'_, str> {
    if name.is_ascii() && !RESERVED.contains(&name) {
        return Cow::Borrowed(name);
    }
    let mut mangled = String::from(MANGLED);
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            mangled.push(c);
        } else {
            mangled.push_str(&format!("_{:x}_", u32::from(c)));
        }
    }
    Cow::Owned(mangled)
}

/// The name that was [mangled](mangle).
pub fn unmangle(name: &str) -> Option<String> {
    let mut rest = name.strip_prefix(MANGLED)?;
    let mut result = String::new();
    while let Some(start) = rest.find('_') {
        result.push_str(&rest[..start]);
        let (code, after) = rest[start + 1..].split_once('_')?;
        result.push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32)?);
        rest = after;
    }
    result.push_str(rest);
    Some(result)
}

const MANGLED: &str = "__name_";
