//! Searches in texts that people wrote: the word that was probably meant, the line that says something.

/// The known word that is nearest to a misspelt one, if any is near enough to be meant. Case does not count, and `-` is
/// as good as `_`.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let near = |candidate: &'a str| {
        let longest = word.chars().count().max(candidate.chars().count());
        let limit = longest.div_ceil(3).min(3);
        let distance = distance(&folded, &fold(candidate), limit);
        (distance <= limit).then_some((distance, candidate))
    };
    let others = known.into_iter().filter(|candidate| *candidate != word);
    others.filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

/// The Damerau-Levenshtein distance (optimal string alignment); more than `limit` is told as `limit + 1`.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut current = vec![i];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (previous[j] + 1).min(current[j - 1] + 1).min(previous[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[b.len()]
}

/// A line of a text.
#[derive(Debug, PartialEq)]
pub struct Line<'a> {
    /// How many lines stand before it.
    pub line: usize,
    /// Where the first of the names stands in it, counted from 1.
    pub column: usize,
    pub text: &'a str,
}

/// The first line on which all of these names stand in quotes: where a call with them is.
pub fn quoted<'a>(text: &'a str, names: &[&str]) -> Option<Line<'a>> {
    let place = |line: &str, name: &str| {
        line.find(&format!("'{name}'")).or_else(|| line.find(&format!("\"{name}\"")))
    };
    text.lines().enumerate().find_map(|(number, line)| {
        let places: Option<Vec<usize>> = names.iter().map(|name| place(line, name)).collect();
        let byte = *places?.first()?;
        Some(Line { line: number, column: line[..byte].chars().count() + 1, text: line })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let known = ["stg_orders", "stg_customers", "orders"];
        assert_eq!(nearest("stg_ordres", known), Some("stg_orders"));
        assert_eq!(nearest("something_else", known), None);
        assert_eq!(nearest("modelpaths", ["model-paths", "vars"]), Some("model-paths"));
    }

    #[test]
    fn a_call_is_where_all_its_names_are() {
        let text = "-- raw\nselect 'raw' as é, * from {{ source('raw', \"orders\") }}";
        let found = quoted(text, &["orders", "raw"]).map(|found| (found.line, found.column));
        assert_eq!(found, Some((1, 44)));
        assert_eq!(quoted(text, &["orders", "row"]), None);
    }
}
