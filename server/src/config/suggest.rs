//! "Did you mean …?": the known word nearest to one that is not known.

/// The word of `known` that was probably meant by `written`; `None` when nothing is near enough.
pub(super) fn nearest<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    let written = written.to_lowercase().replace('-', "_");
    let budget = written.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|word| (distance(&written, word), word))
        .filter(|(distance, _)| *distance <= budget)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// `; did you mean …?`, or nothing.
pub(super) fn hint<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(written, known).map_or_else(String::new, |word| format!("; did you mean \"{word}\"?"))
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    // Cell `j` is the distance between the part of `a` read so far and the first `j` of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            let changed = diagonal + usize::from(from != *to);
            *cell = changed.min(above + 1).min(left + 1);
            (diagonal, left) = (above, *cell);
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_found_and_another_word_is_not() {
        let words = ["organisation", "policies", "listen", "memory"];
        assert_eq!(nearest("organization", words), Some("organisation"));
        assert_eq!(nearest("polices", words), Some("policies"));
        assert_eq!(nearest("LISTEN", words), Some("listen"));
        assert_eq!(nearest("webhooks", words), None);
        assert_eq!(nearest("", words), None);
    }
}
