//! Parting a text into policies before Cedar reads it, and bounding how deep they nest.
//!
//! Cedar parses, validates and drops policies by recursion, so a text must not decide how much
//! stack that takes. The scanner knows only what it needs of the language: strings, comments,
//! brackets, and the operators that make a tree deeper. Every byte of a text but the blanks and
//! comments between policies goes into a piece, and Cedar parses every piece: a scanner that parts
//! a text wrongly makes pieces that do not parse.

use std::ops::Range;

/// How deep a policy may nest: brackets, chains of operators, and accesses in a row. A chain of
/// 200 comparisons joined with `||` is 200 deep.
pub(super) const MAX_DEPTH: usize = 256;
/// The most that one policy may hold, in bytes.
pub(super) const MAX_POLICY_BYTES: usize = 64 << 10;

/// One policy of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The bytes of the text that it takes.
    pub(super) range: Range<usize>,
    /// How deep it nests, at most.
    pub(super) depth: usize,
}

/// The policies of a text: up to each `;` that stands in no bracket, string or comment.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = None;
    let mut nesting = Nesting::default();
    let mut scanner = Scanner { text, at: 0 };
    while let Some((at, token)) = scanner.next() {
        let start_at = *start.get_or_insert(at);
        nesting.take(token);
        if token == Token::Semicolon && nesting.open.is_empty() {
            pieces.push(Piece {
                range: start_at..scanner.at,
                depth: nesting.deepest,
            });
            start = None;
            nesting = Nesting::default();
        }
    }
    // What has no end: Cedar says what is missing.
    if let Some(start) = start {
        pieces.push(Piece {
            range: start..text.len(),
            depth: nesting.deepest,
        });
    }
    pieces
}

/// What must be known of a schema before Cedar reads it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    /// How deep its brackets nest, at most; `<` counts without its end.
    pub(super) depth: usize,
    /// How many `?` it holds: one for each optional member.
    pub(super) optional: usize,
}

/// Reads over a schema.
pub(super) fn outline(text: &str) -> Outline {
    let mut outline = Outline::default();
    let mut nesting = Nesting::default();
    let mut angles = 0;
    let mut scanner = Scanner { text, at: 0 };
    while let Some((at, token)) = scanner.next() {
        nesting.take(token);
        match text.get(at..).and_then(|rest| rest.chars().next()) {
            Some('<') => angles += 1,
            Some('?') => outline.optional += 1,
            _ => {}
        }
    }
    outline.depth = nesting.deepest + angles;
    outline
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Comma,
    Semicolon,
    /// Makes the tree around it one level deeper, as `||` does in a chain.
    Operator,
    /// Makes the access that it is part of one level deeper.
    Dot,
    Other,
}

/// How deep the brackets and operators read so far nest.
#[derive(Default)]
struct Nesting {
    /// The levels that are open, the innermost last.
    open: Vec<Level>,
    outermost: Level,
    /// The operators and dots of all levels that are open.
    total: usize,
    /// Whether a value stands before: a bracket after it is an access, as a dot is.
    after_value: bool,
    deepest: usize,
}

#[derive(Default)]
struct Level {
    operators: usize,
    dots: usize,
}

impl Nesting {
    fn take(&mut self, token: Token) {
        let after_value = self.after_value;
        self.after_value = matches!(token, Token::Close | Token::Other);
        match token {
            Token::Open => {
                if after_value {
                    self.level().dots += 1;
                    self.total += 1;
                }
                self.open.push(Level::default());
            }
            Token::Close => {
                let closed = self.open.pop().unwrap_or_default();
                self.total -= closed.operators + closed.dots;
            }
            Token::Comma | Token::Semicolon => {
                let ended = std::mem::take(self.level());
                self.total -= ended.operators + ended.dots;
            }
            Token::Operator => {
                let dots = std::mem::take(&mut self.level().dots);
                self.level().operators += 1;
                self.total = self.total + 1 - dots;
            }
            Token::Dot => {
                self.level().dots += 1;
                self.total += 1;
            }
            Token::Other => return,
        }
        self.deepest = self.deepest.max(self.total + self.open.len());
    }

    fn level(&mut self) -> &mut Level {
        self.open.last_mut().unwrap_or(&mut self.outermost)
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    /// The next token and where it begins, past blanks and comments.
    fn next(&mut self) -> Option<(usize, Token)> {
        loop {
            let rest = self.text.get(self.at..)?;
            let blank = rest.len() - rest.trim_start().len();
            self.at += blank;
            let rest = self.text.get(self.at..)?;
            if !rest.starts_with("//") {
                break;
            }
            self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
        }
        let (start, rest) = (self.at, self.text.get(self.at..)?);
        let first = rest.chars().next()?;
        let (length, token) = match first {
            '(' | '[' | '{' => (1, Token::Open),
            ')' | ']' | '}' => (1, Token::Close),
            ',' => (1, Token::Comma),
            ';' => (1, Token::Semicolon),
            '"' => (string(rest), Token::Other),
            '&' | '|' => (pair(rest, first), Token::Operator),
            '+' | '-' | '*' | '!' => (1, Token::Operator),
            '.' => (1, Token::Dot),
            _ if is_word(first) => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let token = match rest.get(..length) {
                    Some("if") => Token::Operator,
                    _ => Token::Other,
                };
                (length, token)
            }
            _ => (first.len_utf8(), Token::Other),
        };
        self.at += length;
        Some((start, token))
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

/// The length of a doubled sign, or of a single one.
fn pair(rest: &str, sign: char) -> usize {
    1 + usize::from(rest.get(1..).is_some_and(|rest| rest.starts_with(sign)))
}

/// The length of the string that `rest` begins with; all of it where the string has no end.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<&str> {
        pieces(text)
            .into_iter()
            .map(|piece| &text[piece.range])
            .collect()
    }

    #[test]
    fn a_text_is_parted_where_policies_end_and_nowhere_else() {
        let text =
            "// permit;\n@id(\"a;\\\";\")permit(x) when { \"//\" == \";\" }; // last;\n forbid(y);";
        assert_eq!(
            parts(text),
            [
                "@id(\"a;\\\";\")permit(x) when { \"//\" == \";\" };",
                "forbid(y);"
            ]
        );
        assert_eq!(parts("  // nothing\n"), Vec::<&str>::new());
        assert_eq!(parts("permit(x"), ["permit(x"]);
        assert_eq!(parts("permit(x); }; y"), ["permit(x);", "};", "y"]);
        assert_eq!(parts("a \"no end;"), ["a \"no end;"]);
        assert_eq!(parts("é;ü"), ["é;", "ü"]);
    }

    #[test]
    fn depth_counts_brackets_and_chains_but_not_lists() {
        let depth = |text: &str| {
            let pieces = pieces(text);
            pieces
                .iter()
                .map(|piece| piece.depth)
                .max()
                .unwrap_or_default()
        };
        assert_eq!(depth("a"), 0);
        assert_eq!(depth("((a))"), 2);
        assert_eq!(depth("a || b || c"), 2);
        assert_eq!(depth("(a || b) || (c || d)"), 3);
        assert_eq!(depth("!!-a"), 3);
        assert_eq!(depth("a.b.c || d.e"), 2);
        assert_eq!(depth("a.b(c.d).e"), 4);
        assert_eq!(depth("a[b][c]"), 3);
        assert!(depth(&"a.b()".repeat(1_000)) > MAX_DEPTH);
        let list = format!("[{}]", "\"x\",".repeat(10_000));
        assert_eq!(depth(&list), 1);
        assert!(depth(&"(".repeat(100_000)) > MAX_DEPTH);
        assert!(depth(&format!("a{}", "[\"b\"]".repeat(1_000))) > MAX_DEPTH);
        assert!(depth(&"if a then b else ".repeat(1_000)) > MAX_DEPTH);
    }

    #[test]
    fn an_outline_counts_what_stands_in_no_string_and_no_comment() {
        let outline = outline("type M = { a?: Set<String>, \"?<\"?: Long }; // ?<{");
        assert_eq!((outline.depth, outline.optional), (3, 2));
    }
}
