//! `action_ids.json`: the action id of a framework's tool.

use super::{cases, text};

#[test]
fn every_action_id_is_the_references() {
    for case in cases(include_str!("../action_ids.json"), 39) {
        let made = sernixa_protocol::action_id(&text(case, "framework"), &text(case, "tool"));
        assert_eq!(made, text(case, "action_id"), "{}", case.raw());
    }
}
