//! Ids that a person typed: the beginning of one is enough where it fits one alone.

use sernixa_engine::{ApprovalId, Request};

use crate::Failure;
use crate::backend::Backend;
use crate::output::one_line;
use crate::record::Record;

/// The most that a list holds: where there are more, nobody knows what a beginning fits.
const MOST: usize = 100;

/// The fewest characters that may stand for a whole id: more than a prefix that all ids share.
const FEWEST: usize = 8;

/// The id that `text` means: itself, or the one waiting approval that begins so.
pub(super) fn resolve(backend: &Backend, text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::new(
            "the approval id is empty; see `sernixa approvals list`",
        ));
    }
    if ApprovalId::parse(text).is_some() || text.chars().count() < FEWEST {
        return Ok(text.to_owned());
    }
    let body = backend.ask(Request::Pending { limit: MOST })?;
    choose(text, &Record::parse_list(&body)?)
}

fn choose(text: &str, waiting: &[Record]) -> Result<String, Failure> {
    if waiting.iter().any(|record| record.id() == text) {
        return Ok(text.to_owned());
    }
    let fits: Vec<&str> = waiting
        .iter()
        .map(Record::id)
        .filter(|id| id.starts_with(text))
        .collect();
    match *fits {
        // Not waiting, or not ours to know: the service says what it is.
        [] => Ok(text.to_owned()),
        [id] if waiting.len() < MOST => Ok(id.to_owned()),
        [_] => Err(Failure::new(format!(
            "`{}` fits one of the first {MOST} approvals, but more may be waiting; give the \
             whole id",
            one_line(text)
        ))),
        _ => Err(Failure::new(format!(
            "`{}` fits {} waiting approvals; give more of the id",
            one_line(text),
            fits.len()
        ))),
    }
}

/// The shortest beginnings that tell these approvals apart, of equal length.
pub(super) fn short_ids(records: &[Record]) -> Vec<String> {
    const AT_LEAST: usize = 12;
    let ids: Vec<&str> = records.iter().map(Record::id).collect();
    let longest = ids.iter().map(|id| id.chars().count()).max().unwrap_or(0);
    let cut = |length: usize| -> Vec<String> {
        let cut = ids.iter().map(|id| id.chars().take(length).collect());
        cut.collect()
    };
    let mut length = AT_LEAST;
    while length < longest {
        let short = cut(length);
        let mut sorted = short.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() == short.len() {
            return short;
        }
        length += 4;
    }
    cut(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(ids: &[&str]) -> Vec<Record> {
        let record = |id: &&str| Record {
            approval_id: Some((*id).to_owned()),
            ..Record::default()
        };
        ids.iter().map(record).collect()
    }

    #[test]
    fn a_beginning_is_taken_only_where_it_fits_one_alone() {
        let list = waiting(&["apr_1111aaaa", "apr_1111bbbb", "apr_2222cccc"]);
        assert_eq!(choose("apr_2222", &list).unwrap(), "apr_2222cccc");
        let error = choose("apr_1111", &list).unwrap_err().chain();
        assert!(error.contains("fits 2"), "{error}");
        // Unknown ones go to the service as they are: it may be decided already.
        assert_eq!(choose("apr_9999", &list).unwrap(), "apr_9999");
        // An id that is the beginning of another is still itself.
        let list = waiting(&["apr_1111", "apr_1111aaaa"]);
        assert_eq!(choose("apr_1111", &list).unwrap(), "apr_1111");
    }

    #[test]
    fn a_beginning_is_not_taken_where_the_list_may_be_cut() {
        let ids: Vec<String> = (0..MOST).map(|n| format!("apr_{n:04}xxxx")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        assert!(choose("apr_0042", &waiting(&ids)).is_err());
        assert_eq!(
            choose("apr_0042xxxx", &waiting(&ids)).unwrap(),
            "apr_0042xxxx"
        );
    }

    #[test]
    fn short_ids_tell_approvals_apart() {
        let list = waiting(&["apr_0123456789ab", "apr_0123456789xy", "apr_ffff"]);
        let short = short_ids(&list);
        assert_eq!(short, ["apr_0123456789ab", "apr_0123456789xy", "apr_ffff"]);
        let list = waiting(&["apr_0123456789ab", "apr_1123456789xy"]);
        assert_eq!(short_ids(&list), ["apr_01234567", "apr_11234567"]);
        assert_eq!(
            short_ids(&waiting(&["é".repeat(20).as_str()]))[0],
            "é".repeat(12)
        );
        assert!(short_ids(&[]).is_empty());
    }
}
