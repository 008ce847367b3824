//! What a service keeps besides approvals: tokens, keys, and ways to find what happened.

use std::sync::Arc;

use super::sample::{ORGANISATION, OTHER, api_key, approval, of_organisation, organisation, token};
use super::{Check, ensure, put, said, within};
use crate::approval::{Approval, ApprovalId, Decided, Decision, Status};
use crate::audit::{Entry, EventFilter, EventKind};
use crate::delegation::TokenId;
use crate::digest::Digest;
use crate::moment::Timestamp;
use crate::principal::Principal;
use crate::store::Store;

fn decided(approval: Approval, at: u64) -> Approval {
    let decided = Decided {
        decision: Decision::Approve,
        reason: "seen".into(),
        by: "rita".into(),
        at: Timestamp::from_millis(at),
        self_decided: false,
    };
    Approval {
        status: Status::Approved,
        decided: Some(Arc::new(decided)),
        ..approval
    }
}

pub(super) fn approvals_are_listed(store: &dyn Store) -> Check {
    let all = [3, 1, 2].map(approval);
    for one in &all {
        put(store, one)?;
    }
    put(store, &of_organisation(4, OTHER))?;
    let ended = decided(approval(2), 20);
    put(store, &ended)?;
    let listed = |after: Option<ApprovalId>, limit| {
        let found = store
            .approvals(after, limit)
            .map_err(|error| said(&error))?;
        Ok::<_, String>(found)
    };
    let ids = |found: &[Approval]| found.iter().map(|one| one.id).collect::<Vec<_>>();
    let found = listed(None, 9)?;
    let [first, second, third, fourth] = [1, 2, 3, 4].map(|seed| approval(seed).id);
    ensure(
        ids(&found) == [first, second, third, fourth],
        "not all of them, by id",
    )?;
    ensure(found.get(1) == Some(&ended), "not as it stands now")?;
    ensure(ids(&listed(None, 2)?) == [first, second], "too many")?;
    ensure(
        ids(&listed(Some(second), 9)?) == [third, fourth],
        "the next page does not go on where this one ended",
    )?;
    ensure(
        listed(Some(fourth), 9)?.is_empty(),
        "something after the last",
    )
}

pub(super) fn decisions_are_listed(store: &dyn Store) -> Check {
    put(store, &approval(1))?;
    for (seed, at) in [(3, 30), (2, 20), (4, 40)] {
        put(store, &approval(seed))?;
        put(store, &decided(approval(seed), at))?;
    }
    put(store, &decided(of_organisation(5, OTHER), 30))?;
    let listed = |key: Option<&'static str>, since, limit| {
        within(store, move |state| {
            let since = Timestamp::from_millis(since);
            let found = state.recent(ORGANISATION, key, since, limit)?;
            Ok(found.iter().map(|one| one.id.0[0]).collect::<Vec<_>>())
        })
    };
    ensure(listed(None, 0, 9)? == [2, 3, 4], "not in order of decision")?;
    ensure(listed(None, 30, 9)? == [3, 4], "not from its time on")?;
    ensure(listed(None, 0, 2)? == [3, 4], "not the last of them")?;
    ensure(listed(Some("key-3"), 0, 9)? == [3], "of another key")?;
    put(store, &decided(approval(2), 50))?;
    ensure(listed(None, 0, 9)? == [3, 4, 2], "not as decided last")
}

pub(super) fn tokens_are_kept(store: &dyn Store) -> Check {
    let absent = within(store, |state| state.token(TokenId([1; 16])))?;
    ensure(absent.is_none(), "a token stood in an empty store")?;
    for one in [
        token(1, ORGANISATION),
        token(2, ORGANISATION),
        token(3, OTHER),
    ] {
        within(store, |state| state.put_token(&one))?;
        let found = within(store, |state| state.token(one.id))?;
        ensure(found.as_ref() == Some(&one), "it came back another")?;
    }
    let mut revoked = token(2, ORGANISATION);
    revoked.revoked_at = Some(Timestamp::from_millis(99));
    within(store, |state| state.put_token(&revoked))?;
    let listed = within(store, |state| state.tokens(ORGANISATION, 9))?;
    let expected = [revoked.clone(), token(1, ORGANISATION)];
    ensure(listed == expected, "not the newest first, as they are now")?;
    let first = within(store, |state| state.tokens(ORGANISATION, 1))?;
    ensure(first == [revoked], "more than were asked for")
}

pub(super) fn api_keys_are_kept(store: &dyn Store) -> Check {
    let found = |seed| {
        store
            .api_key(&Digest([seed; 32]))
            .map_err(|error| said(&error))
    };
    ensure(found(1)?.is_none(), "a key stood in an empty store")?;
    for one in [
        api_key(2, ORGANISATION),
        api_key(1, ORGANISATION),
        api_key(3, OTHER),
    ] {
        within(store, |state| state.put_api_key(&one))?;
    }
    ensure(
        found(1)? == Some(api_key(1, ORGANISATION)),
        "it came back another",
    )?;
    let mut revoked = api_key(2, ORGANISATION);
    revoked.revoked_at = Some(Timestamp::from_millis(99));
    within(store, |state| state.put_api_key(&revoked))?;
    ensure(found(2)? == Some(revoked.clone()), "it is not revoked")?;
    let listed = within(store, |state| state.api_keys(ORGANISATION))?;
    ensure(
        listed == [revoked, api_key(1, ORGANISATION)],
        "not in the order in which they were made",
    )
}

pub(super) fn events_are_found(store: &dyn Store) -> Check {
    let about = |seed| ApprovalId([seed; 16]);
    let append = |name: &'static str, kind, seed: u8| {
        within(store, move |state| {
            let at = Timestamp::from_millis(u64::from(seed) * 1_000);
            let caller = Principal::new(name, "key").owned_by("rita é");
            let entry = Entry::about(kind, at, &approval(seed)).by(&caller);
            let event = entry.seal(&state.head(name)?);
            state.append(&organisation(name), event)
        })
    };
    append(ORGANISATION, EventKind::Asked, 1)?;
    append(ORGANISATION, EventKind::Approved, 1)?;
    append(ORGANISATION, EventKind::Asked, 2)?;
    append(OTHER, EventKind::Asked, 3)?;
    let find = |filter: EventFilter<'static>, limit| {
        let events = store
            .find_events(ORGANISATION, &filter, limit)
            .map_err(|error| said(&error))?;
        Ok::<_, String>(events.iter().map(|event| event.seq).collect::<Vec<_>>())
    };
    let all = EventFilter::default;
    let asked = EventFilter {
        kind: Some(EventKind::Asked),
        ..all()
    };
    ensure(find(all(), 9)? == [3, 2, 1], "not the newest first")?;
    ensure(find(all(), 2)? == [3, 2], "more than were asked for")?;
    ensure(find(asked, 9)? == [3, 1], "of another kind")?;
    let filters = [
        (
            EventFilter {
                approval_id: Some(about(1)),
                ..all()
            },
            vec![2, 1],
        ),
        (
            EventFilter {
                request_id: Some("request"),
                ..all()
            },
            vec![2, 1],
        ),
        (
            EventFilter {
                owner: Some("rita é"),
                ..asked
            },
            vec![3, 1],
        ),
        (
            EventFilter {
                owner: Some("rita"),
                ..all()
            },
            vec![],
        ),
        (
            EventFilter {
                from: Some(Timestamp::from_millis(1_000)),
                to: Some(Timestamp::from_millis(2_000)),
                ..all()
            },
            vec![2, 1],
        ),
        (
            EventFilter {
                from: Some(Timestamp::from_millis(1_001)),
                ..all()
            },
            vec![3],
        ),
    ];
    for (filter, expected) in filters {
        let found = find(filter, 9)?;
        ensure(found == expected, &format!("{filter:?} found {found:?}"))?;
    }
    let last = within(store, |state| {
        state.last_event(ORGANISATION, EventKind::Asked)
    })?;
    ensure(last.is_some_and(|event| event.seq == 3), "not the last one")?;
    let names = store.organisations().map_err(|error| said(&error))?;
    ensure(
        names == [organisation(ORGANISATION), organisation(OTHER)],
        "organisations are missing",
    )
}
