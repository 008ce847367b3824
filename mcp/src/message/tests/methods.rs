//! Which methods each generation knows, in which direction.

use crate::message::{Direction, Generation, spec};

/// The tables against the schemas: each method stands where its type says, and in no other table.
#[test]
fn methods_are_known_by_generation_and_direction() {
    use Direction::{ToHost, ToServer};
    use Generation::{Sessions, Stateless};
    let everywhere = [
        (Sessions, ToServer),
        (Sessions, ToHost),
        (Stateless, ToServer),
        (Stateless, ToHost),
    ];
    for (method, known) in [
        ("initialize", &everywhere[..1]),
        ("server/discover", &everywhere[2..3]),
        ("ping", &everywhere[..2]),
        ("tools/call", &[(Sessions, ToServer), (Stateless, ToServer)]),
        ("sampling/createMessage", &everywhere[1..2]),
        ("elicitation/create", &everywhere[1..2]),
        ("roots/list", &everywhere[1..2]),
        ("tasks/result", &everywhere[..2]),
        // In 2026-07-28 tasks are an extension.
        ("tasks/get", &everywhere[..2]),
        ("tasks/list", &everywhere[..2]),
        ("tasks/cancel", &everywhere[..2]),
        ("tasks/update", &[]),
        ("notifications/tasks/status", &everywhere[..2]),
        ("notifications/tasks", &[]),
        ("subscriptions/listen", &everywhere[2..3]),
        ("resources/subscribe", &everywhere[..1]),
        ("logging/setLevel", &everywhere[..1]),
        ("notifications/cancelled", &everywhere),
        ("notifications/initialized", &everywhere[..1]),
        (
            "notifications/progress",
            &[
                (Sessions, ToServer),
                (Sessions, ToHost),
                (Stateless, ToHost),
            ],
        ),
        ("notifications/subscriptions/acknowledged", &everywhere[3..]),
        ("notifications/elicitation/complete", &everywhere[1..2]),
        ("skills/list", &[]),
        ("x/own", &[]),
        ("", &[]),
        ("Tools/Call", &[]),
    ] {
        for way in everywhere {
            assert_eq!(
                spec::is_known(way.0, way.1, method),
                known.contains(&way),
                "{method} {way:?}"
            );
        }
    }
}
