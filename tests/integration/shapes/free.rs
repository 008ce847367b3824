//! Free functions that return at once.

use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::panic::Location;

use sernixa::{Error, intercept};

use super::{began, proves};

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn plain(a: u8, b: u8) -> Result<u8, Error> {
    began();
    Ok(a + b)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn without_arguments() -> Result<u8, Error> {
    began();
    Ok(7)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn one_expression() -> Result<u8, Error> {
    Ok(twelve())
}

fn twelve() -> u8 {
    began();
    12
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn generic<T: Debug + Clone, const N: usize>(items: [T; N]) -> Result<Vec<T>, Error>
where
    T: PartialEq,
{
    began();
    Ok(items.to_vec())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn unbounded<T>(item: T) -> Result<T, Error> {
    began();
    Ok(item)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn lifetimes<'a, 'b: 'a>(long: &'b str, short: &'a str) -> Result<&'a str, Error> {
    began();
    Ok(if short.is_empty() { long } else { short })
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn elided(text: &str) -> Result<&str, Error> {
    began();
    Ok(text.trim())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn given_back_mutably(items: &mut Vec<u8>) -> Result<&mut u8, Error> {
    began();
    items.push(3);
    items.first_mut().ok_or_else(|| unreachable!("just pushed"))
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn impl_trait_arguments(
    text: impl Display,
    items: impl IntoIterator<Item = u8>,
) -> Result<String, Error> {
    began();
    Ok(format!("{text}{}", items.into_iter().count()))
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn dyn_arguments(text: &dyn Display, debug: Box<dyn Debug>) -> Result<String, Error> {
    began();
    Ok(format!("{text} {debug:?}"))
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn function_arguments(twice: fn(u8) -> u8, add: impl Fn(u8) -> u8) -> Result<u8, Error> {
    began();
    Ok(add(twice(2)))
}

struct Point {
    x: i32,
    y: i32,
}

struct Wrapped<T>(T);

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn patterns(
    (a, b): (u8, u8),
    Point { x, y: _ }: Point,
    Wrapped(mut inner): Wrapped<Vec<u8>>,
    [first, .., last]: [u8; 4],
    &byte: &u8,
    whole @ Wrapped(..): Wrapped<u8>,
    _: u8,
    (): (),
    (Ok(either) | Err(either)): Result<u8, u8>,
) -> Result<u32, Error> {
    began();
    inner.push(a);
    Ok([a, b, first, last, byte, whole.0, either]
        .iter()
        .map(|n| u32::from(*n))
        .sum::<u32>()
        + x.unsigned_abs()
        + u32::from(inner[0]))
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn mutable_arguments(mut n: u8, mut items: Vec<u8>) -> Result<Vec<u8>, Error> {
    began();
    n += 1;
    items.push(n);
    Ok(items)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn many_arguments(
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    i: u8,
    j: u8,
    k: u8,
    l: u8,
    m: u8,
    n: u8,
    (o, p, q, r, s, t, u, v, w, x, y, z, last): (
        u8,
        u8,
        u8,
        u8,
        u8,
        u8,
        u8,
        u8,
        u8,
        u8,
        u8,
        u8,
        u8,
    ),
) -> Result<u32, Error> {
    began();
    let all = [
        a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, last,
    ];
    Ok(all.iter().map(|n| u32::from(*n)).sum())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[allow(
    improper_ctypes_definitions,
    reason = "called from Rust; the convention is what is tested"
)]
extern "C" fn foreign_calling_convention(n: u8) -> Result<u8, Error> {
    began();
    Ok(n)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn recursive(n: u8) -> Result<u8, Error> {
    if n == 0 {
        began();
        return Ok(0);
    }
    Ok(recursive(n - 1)? + 1)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn early_return(n: u8) -> Result<u8, Error> {
    began();
    if n > 1 {
        return Ok(n);
    }
    Ok(0)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn question_mark(text: &str) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    began();
    let number: u8 = text.parse()?;
    Ok(number)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn macros_in_the_body(items: &[u8]) -> Result<String, Error> {
    began();
    let mut text = String::new();
    for item in items {
        text.push_str(&format!("{item},"));
    }
    assert!(!text.is_empty());
    matches!(text.len(), 1..)
        .then_some(text)
        .ok_or_else(|| unreachable!())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn items_in_the_body(n: u8) -> Result<u8, Error> {
    began();
    const STEP: u8 = 2;
    struct Local(u8);
    fn helper(local: &Local) -> u8 {
        local.0 + STEP
    }
    use std::mem::size_of;
    Ok(helper(&Local(n)) + u8::try_from(size_of::<u8>()).unwrap_or(0))
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn inner_attributes(n: u8) -> Result<u8, Error> {
    #![allow(unused_variables, reason = "an inner attribute")]
    began();
    let unused = 1;
    Ok(n)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn loops_and_labels(n: u8) -> Result<u8, Error> {
    began();
    let mut count = 0;
    'outer: loop {
        for i in 0.. {
            count += 1;
            if i == n {
                break 'outer;
            }
        }
    }
    Ok(count)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[track_caller]
fn track_caller(offset: u32) -> Result<u32, Error> {
    began();
    Ok(Location::caller().line() + offset)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[track_caller]
fn track_caller_giving_back_a_borrow(items: &mut Vec<u32>) -> Result<&mut u32, Error> {
    began();
    items.push(Location::caller().line());
    Ok(&mut items[0])
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[must_use = "a receipt"]
#[inline(never)]
#[cold]
#[doc(alias = "receipt")]
/// A governed function with other attributes.
fn other_attributes(n: u8) -> Result<u8, Error> {
    began();
    Ok(n)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
pub(in crate::shapes) fn restricted(r#type: u8) -> Result<u8, Error> {
    began();
    Ok(r#type)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn r#match(r#fn: u8) -> Result<u8, Error> {
    began();
    Ok(r#fn)
}

type Answer<T = u8> = Result<T, Error>;

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn alias() -> Answer {
    began();
    Ok(7)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn opaque_inside() -> Result<impl Iterator<Item = u8>, Error> {
    began();
    Ok([1, 2, 3].into_iter().rev())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn coerced() -> Result<Box<dyn Fn(u8) -> u8>, Error> {
    began();
    Ok(Box::new(|n| n + 1))
}

#[derive(Debug)]
enum Own {
    Refused(Error),
    Odd,
}

impl From<Error> for Own {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn own_error(n: u8) -> Result<u8, Own> {
    began();
    if n % 2 == 0 { Ok(n) } else { Err(Own::Odd) }
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn io_error(n: u8) -> std::io::Result<u8> {
    began();
    Ok(n)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn diverging(stop: bool) -> Result<u8, Error> {
    began();
    loop {
        if stop {
            break Ok(1);
        }
    }
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn temporaries_in_the_tail(text: &std::sync::Mutex<String>) -> Result<usize, Error> {
    began();
    Ok(text.lock().unwrap().len())
}

#[test]
fn free_functions_run_when_approved_and_do_not_begin_when_refused() {
    assert_eq!(proves(|| plain(1, 2)), 3);
    assert_eq!(proves(without_arguments), 7);
    assert_eq!(proves(one_expression), 12);
    assert_eq!(proves(|| generic([1, 2])), [1, 2]);
    assert_eq!(proves(|| unbounded("x")), "x");
    assert_eq!(proves(|| lifetimes("long", "")), "long");
    assert_eq!(proves(|| elided(" x ")), "x");
    let mut items = Vec::new();
    assert_eq!(proves(|| given_back_mutably(&mut items).map(|n| *n)), 3);
    assert_eq!(proves(|| early_return(2)), 2);
    assert_eq!(proves(|| question_mark("7")), 7);
    assert_eq!(proves(|| macros_in_the_body(&[1, 2])), "1,2,");
    assert_eq!(proves(|| items_in_the_body(1)), 4);
    assert_eq!(proves(|| inner_attributes(5)), 5);
    assert_eq!(proves(|| loops_and_labels(2)), 3);
    assert_eq!(proves(|| other_attributes(1)), 1);
    assert_eq!(proves(|| restricted(1)), 1);
    assert_eq!(proves(|| r#match(1)), 1);
    assert_eq!(proves(alias), 7);
    assert_eq!(
        proves(|| opaque_inside().map(Iterator::collect::<Vec<_>>)),
        [3, 2, 1]
    );
    assert_eq!(proves(coerced)(1), 2);
    assert_eq!(proves(|| own_error(2)), 2);
    assert_eq!(proves(|| io_error(2)), 2);
    assert_eq!(proves(|| diverging(true)), 1);
    let text = std::sync::Mutex::new("four".to_owned());
    assert_eq!(proves(|| temporaries_in_the_tail(&text)), 4);
}

#[test]
fn arguments_of_every_kind_reach_the_body() {
    assert_eq!(proves(|| impl_trait_arguments("n", [1, 2])), "n2");
    assert_eq!(proves(|| dyn_arguments(&1, Box::new("x"))), "1 \"x\"");
    assert_eq!(proves(|| function_arguments(|n| n * 2, |n| n + 1)), 5);
    let all = proves(|| {
        let point = Point { x: -1, y: 0 };
        patterns(
            (1, 2),
            point,
            Wrapped(vec![4]),
            [8, 0, 0, 16],
            &32,
            Wrapped(64),
            0,
            (),
            Err(128),
        )
    });
    assert_eq!(all, 1 + 2 + 1 + 4 + 8 + 16 + 32 + 64 + 128);
    assert_eq!(proves(|| mutable_arguments(1, vec![1])), [1, 2]);
    let many = proves(|| {
        many_arguments(
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
        )
    });
    assert_eq!(many, 27);
    assert_eq!(proves(|| unbounded(HashMap::<u8, u8>::new())).len(), 0);
}

#[test]
fn a_foreign_calling_convention_stays_what_it_is() {
    assert_eq!(proves(|| foreign_calling_convention(3)), 3);
    let pointer: extern "C" fn(u8) -> Result<u8, Error> = foreign_calling_convention;
    let _ = pointer;
}

#[test]
fn a_recursive_function_asks_at_every_step() {
    let gate = sernixa::testing::TestGate::new().approve(super::INTENT);
    assert_eq!(gate.scope(|| recursive(3)).unwrap(), 3);
    assert_eq!(gate.submissions().len(), 4);
    assert_eq!(proves(|| recursive(0)), 0);
}

#[test]
fn a_failure_of_the_body_is_its_own() {
    let gate = sernixa::testing::TestGate::new().approve(super::INTENT);
    assert!(matches!(gate.scope(|| own_error(1)), Err(Own::Odd)));
    assert!(
        gate.scope(|| question_mark("x"))
            .unwrap_err()
            .is::<std::num::ParseIntError>()
    );
    let refused = sernixa::testing::TestGate::new().refuse(super::INTENT, super::REASON);
    assert!(matches!(
        refused.scope(|| own_error(2)),
        Err(Own::Refused(Error::Rejected(_)))
    ));
}

#[test]
fn under_track_caller_the_caller_is_the_caller() {
    let (found, here) = (proves(|| track_caller(5)), line!());
    assert_eq!(found, here + 5);
    let mut items = Vec::new();
    let mut call = || track_caller_giving_back_a_borrow(&mut items).map(|line| *line);
    let here = line!() - 1;
    assert_eq!(proves(&mut call), here);
}
