//! Small things done to texts: suggestions for misspelt names, and counting words.

/// The known name that is nearest to a misspelt one, if any is near enough to be meant.
pub fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    let lowered = name.to_lowercase();
    known
        .filter(|candidate| *candidate != name)
        .map(|candidate| (distance(&lowered, &candidate.to_lowercase(), limit), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
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

/// `1 model`, `2 models`.
pub fn count(number: usize, word: &str) -> String {
    let plural = match word.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if word == "analysis" => "analyses".to_owned(),
        None => format!("{word}s"),
    };
    format!("{number} {}", if number == 1 { word } else { &plural })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let known = ["stg_orders", "stg_customers", "orders"];
        assert_eq!(suggestion("stg_ordres", known.into_iter()), Some("stg_orders"));
        assert_eq!(suggestion("something_else", known.into_iter()), None);
    }

    #[test]
    fn words_are_counted() {
        assert_eq!(count(1, "query"), "1 query");
        assert_eq!(count(2, "query"), "2 queries");
        assert_eq!(count(0, "model"), "0 models");
    }
}
