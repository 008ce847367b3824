//! What canonical JSON of Rust values promises.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::value::RawValue;

use super::*;

fn canonical<T: Serialize>(value: T) -> String {
    to_string(&value).unwrap()
}

#[derive(Serialize)]
struct Order {
    zeta: i32,
    alpha: &'static str,
    nested: Inner,
}

#[derive(Serialize)]
struct Inner {
    b: Option<u8>,
    a: (),
}

#[derive(Serialize)]
struct Pair(u8, char);

#[derive(Serialize)]
struct Unit;

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Point,
    Circle(u8),
    Line(u8, u8),
    Square { side: u8, at: u8 },
}
