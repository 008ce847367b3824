//! What differs between two texts, line by line.

/// The most lines of both texts, multiplied, that are compared; beyond, all of one goes and all of the
/// other comes.
const MOST: usize = 4 << 20;

/// All lines: those that stay with two blanks in front, those that go with `- `, those that come with
/// `+ `.
pub(super) fn lines(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut out = Vec::with_capacity(old.len() + new.len());
    let (mut a, mut b) = (0, 0);
    for (x, y) in common(&old, &new) {
        push(&mut out, "- ", old.get(a..x));
        push(&mut out, "+ ", new.get(b..y));
        push(&mut out, "  ", old.get(x..=x));
        (a, b) = (x + 1, y + 1);
    }
    push(&mut out, "- ", old.get(a..));
    push(&mut out, "+ ", new.get(b..));
    out
}

fn push(out: &mut Vec<String>, sign: &str, lines: Option<&[&str]>) {
    let lines = lines.unwrap_or_default();
    out.extend(lines.iter().map(|line| format!("{sign}{line}")));
}

/// The places of a longest common subsequence, in both.
fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    if (old.len() + 1).saturating_mul(width) > MOST {
        return Vec::new();
    }
    // How long one can be from each pair of places on.
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    let at = |x: usize, y: usize| x * width + y;
    let read = |longest: &[u32], x, y| longest.get(at(x, y)).copied().unwrap_or_default();
    for (x, one) in old.iter().enumerate().rev() {
        for (y, other) in new.iter().enumerate().rev() {
            let length = if one == other {
                read(&longest, x + 1, y + 1) + 1
            } else {
                read(&longest, x + 1, y).max(read(&longest, x, y + 1))
            };
            if let Some(place) = longest.get_mut(at(x, y)) {
                *place = length;
            }
        }
    }
    let (mut x, mut y) = (0, 0);
    let mut out = Vec::new();
    while let (Some(one), Some(other)) = (old.get(x), new.get(y)) {
        if one == other {
            out.push((x, y));
            (x, y) = (x + 1, y + 1);
        } else if read(&longest, x + 1, y) >= read(&longest, x, y + 1) {
            x += 1;
        } else {
            y += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_what_goes_and_what_comes_is_told_in_order() {
        let shown = lines("a\nb\nc\nd", "a\nB\nc\nx\nd");
        assert_eq!(shown, ["  a", "- b", "+ B", "  c", "+ x", "  d"]);
        assert_eq!(lines("a\nb", "a\nb"), ["  a", "  b"]);
        assert_eq!(lines("", "a"), ["+ a"]);
        assert_eq!(lines("a", ""), ["- a"]);
    }

    #[test]
    fn texts_that_are_too_long_to_compare_are_shown_whole() {
        let old = "a\n".repeat(3_000);
        let new = format!("{old}b");
        assert_eq!(lines(&old, &new).len(), 6_001);
    }
}
