//! "Did you mean …?": the known word nearest to one that is not known, for the messages of the
//! attribute and of the service's settings.

/// The word of `known` that was probably meant by `written`; `None` when nothing is near enough.
/// Case, blanks around it and the choice of separator do not count.
pub fn nearest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let written = fold(written);
    let budget = written.chars().count().div_ceil(3);
    known
        .into_iter()
        .filter_map(|word| Some((score(&written, &fold(word), budget)?, word)))
        .min_by_key(|(score, _)| *score)
        .map(|(_, word)| word)
}

/// Smaller is nearer. A typing mistake counts its letters; a shortened or lengthened word
/// (`risk` for `risk_level`, `finance` for `financial`) counts more than any of these.
fn score(written: &str, word: &str, budget: usize) -> Option<usize> {
    const PART: usize = 100;
    let distance = distance(written, word);
    if distance <= budget {
        return Some(distance);
    }
    let shared = written.chars().zip(word.chars());
    let prefix = shared.take_while(|(a, b)| a == b).count();
    let part = written.len() >= 3 && (word.contains(written) || written.contains(word));
    (part || prefix >= 4).then_some(PART + distance)
}

/// Case and the choice of separator are not what tells words apart.
fn fold(word: &str) -> String {
    word.trim().to_lowercase().replace(['-', ' '], "_")
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
    fn distance_counts_letters_to_change() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("flaw", "lawn"), 2);
    }

    #[test]
    fn the_nearest_word_is_found_by_typing_mistake_by_part_and_by_case() {
        let words = ["read", "create", "financial", "communication", "tool_call"];
        assert_eq!(nearest("finance", words), Some("financial"));
        assert_eq!(nearest("FINANCAIL", words), Some("financial"));
        assert_eq!(nearest("tool-call", words), Some("tool_call"));
        assert_eq!(nearest("reed", words), Some("read"));
        assert_eq!(nearest("comm", words), Some("communication"));
        assert_eq!(nearest("wire", words), None);
        assert_eq!(nearest("", words), None);
    }

    #[test]
    fn a_typing_mistake_in_a_setting_is_found_and_another_word_is_not() {
        let words = ["organisation", "policies", "listen", "memory"];
        assert_eq!(nearest("organization", words), Some("organisation"));
        assert_eq!(nearest("polices", words), Some("policies"));
        assert_eq!(nearest("LISTEN", words), Some("listen"));
        assert_eq!(nearest("webhooks", words), None);
    }
}
