//! The suite that every store passes: [`check`] runs all of it.
//!
//! It is part of the crate so that stores elsewhere run the very same. A fault is returned as
//! text, with the name of the promise that does not hold.

mod sample;
mod service;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use crate::approval::{Approval, Execution, Status};
use crate::audit::{self, Entry, EventKind, Receipt};
use crate::digest::Digest;
use crate::moment::{Entropy, Timestamp};
use crate::store::{State, Store, StoreError};

use service::{
    api_keys_are_kept, approvals_are_listed, decisions_are_listed, events_are_found,
    tokens_are_kept,
};

use sample::{ORGANISATION, OTHER, answered, approval, memory, nonce_key, organisation};

/// What does not hold, in words; or nothing.
type Check = Result<(), String>;

/// A promise, and how it is checked.
type Part = (&'static str, fn(&dyn Store) -> Check);

/// Makes a store with nothing in it.
pub type MakeStore<'a> = &'a dyn Fn() -> Arc<dyn Store>;

/// Runs the whole suite, each part on a store of its own.
///
/// # Errors
/// The first promise that does not hold.
pub fn check(make: MakeStore<'_>) -> Result<(), String> {
    let parts: [Part; 16] = [
        ("an approval comes back as it was put", approvals_come_back),
        (
            "a transaction that fails leaves nothing",
            failures_leave_nothing,
        ),
        (
            "a transaction that panics leaves nothing",
            panics_leave_nothing,
        ),
        ("every approval is listed by its id", approvals_are_listed),
        ("what waits is listed oldest first", waiting_is_listed),
        ("what is due is found in order", due_is_found),
        (
            "a resume key leads to its newest approval",
            resume_keys_lead,
        ),
        ("nonces are kept until they expire", nonces_expire),
        ("memories are kept, listed and removed", memories_are_kept),
        (
            "a chain takes its next event and no other",
            chains_take_the_next_event,
        ),
        ("the claim key stays the same", the_claim_key_stays),
        ("what was decided is listed in order", decisions_are_listed),
        ("delegation tokens are kept and listed", tokens_are_kept),
        ("API keys are kept, listed and found", api_keys_are_kept),
        ("audit events are found", events_are_found),
        ("a key that claims is known", claimers_are_known),
    ];
    for (promise, part) in parts {
        part(&*make()).map_err(|fault| format!("{promise}: {fault}"))?;
    }
    transactions_run_alone(&make()).map_err(|fault| format!("transactions run alone: {fault}"))
}

fn ensure(holds: bool, what: &str) -> Check {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn said(error: &StoreError) -> String {
    format!("the store failed: {error}")
}

/// Runs `work` in a transaction and returns what it found.
fn within<T>(
    store: &dyn Store,
    mut work: impl FnMut(&mut dyn State) -> Result<T, StoreError>,
) -> Result<T, String> {
    let mut found = None;
    store
        .transact(&mut |state| {
            found = Some(work(state)?);
            Ok(())
        })
        .map_err(|error| said(&error))?;
    found.ok_or_else(|| "the work was not run".to_owned())
}

fn put(store: &dyn Store, approval: &Approval) -> Check {
    within(store, |state| state.put_approval(approval))
}

fn approvals_come_back(store: &dyn Store) -> Check {
    let first = approval(1);
    let absent = within(store, |state| state.approval(first.id))?;
    ensure(absent.is_none(), "an approval stood in an empty store")?;
    let seen_inside = within(store, |state| {
        state.put_approval(&first)?;
        state.approval(first.id)
    })?;
    ensure(
        seen_inside.as_ref() == Some(&first),
        "its own transaction does not see it",
    )?;
    for state in sample::all_states(&first) {
        put(store, &state)?;
        let found = within(store, |inside| inside.approval(state.id))?;
        ensure(
            found.as_ref() == Some(&state),
            &format!("{state:?} came back as {found:?}"),
        )?;
    }
    Ok(())
}

/// Writes something of every kind.
fn write_everything(state: &mut dyn State) -> Result<(), StoreError> {
    let asked = approval(1);
    state.put_approval(&asked)?;
    let mut decided = asked;
    decided.status = Status::Rejected;
    decided.due = None;
    state.put_approval(&decided)?;
    state.put_memory(&memory(1))?;
    state.put_nonce(&nonce_key(1), &answered(1, 1_000))?;
    state.mark_claimed(&organisation(ORGANISATION), &Arc::from("key"))?;
    state.put_token(&sample::token(1, ORGANISATION))?;
    state.put_api_key(&sample::api_key(1, ORGANISATION))?;
    append(state, ORGANISATION, "one")?;
    append(state, ORGANISATION, "two").map(|_| ())
}

fn append(state: &mut dyn State, name: &str, what: &str) -> Result<Receipt, StoreError> {
    let head = state.head(name)?;
    let entry = Entry::new(EventKind::EngineError, Timestamp::from_millis(1))
        .with(|object| object.string("reason", what));
    let event = entry.seal(&head);
    let receipt = event.receipt();
    state.append(&organisation(name), event)?;
    Ok(receipt)
}

/// A text of everything that can be read: equal texts, equal stores.
fn picture(store: &dyn Store) -> Result<String, String> {
    let state = within(store, |state| {
        Ok(format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            state.approval(approval(1).id)?,
            state.approval(approval(2).id)?,
            state.pending(ORGANISATION, None, 10)?,
            state.due(Timestamp::from_millis(u64::MAX), 10)?,
            state.next_due()?,
            state.resumable(&Digest([1; 32]))?,
            state.memory(&memory(1).fingerprint)?,
            state.nonce(&nonce_key(1), Timestamp::from_millis(0))?,
            state.has_claimed(ORGANISATION, "key")?,
            state.recent(ORGANISATION, None, Timestamp::from_millis(0), 10)?,
            state.tokens(ORGANISATION, 10)?,
            state.api_keys(ORGANISATION)?,
            state.head(ORGANISATION)?,
        ))
    })?;
    let events = store
        .events(ORGANISATION, 0, 100)
        .map_err(|error| said(&error))?;
    Ok(format!("{state} {events:?}"))
}

fn failures_leave_nothing(store: &dyn Store) -> Check {
    let empty = picture(store)?;
    let ended = store.transact(&mut |state| {
        write_everything(state)?;
        Err(StoreError::new("given up"))
    });
    ensure(ended.is_err(), "the error of the work was swallowed")?;
    ensure(
        picture(store)? == empty,
        "something was left in an empty store",
    )?;
    // The same over what is there already.
    within(store, write_everything)?;
    let full = picture(store)?;
    let ended = store.transact(&mut |state| {
        let mut changed = approval(1);
        changed.execution = Execution::Claimed;
        state.put_approval(&changed)?;
        state.put_approval(&approval(2))?;
        state.remove_memory(&memory(1).fingerprint)?;
        state.put_nonce(&nonce_key(1), &answered(2, 2_000))?;
        append(state, ORGANISATION, "three")?;
        Err(StoreError::new("given up"))
    });
    ensure(ended.is_err(), "the error of the work was swallowed")?;
    ensure(
        picture(store)? == full,
        "something was left, or lost, in a store in use",
    )
}

fn panics_leave_nothing(store: &dyn Store) -> Check {
    let empty = picture(store)?;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        store.transact(&mut |state| {
            write_everything(state)?;
            // A panic without the hook's noise, as any bug in the work would be one.
            std::panic::resume_unwind(Box::new("a bug"))
        })
    }));
    ensure(
        !matches!(ended, Ok(Ok(()))),
        "the panic was taken for success",
    )?;
    ensure(picture(store)? == empty, "something was left")?;
    within(store, write_everything)
}

fn waiting_is_listed(store: &dyn Store) -> Check {
    // Put in another order than they were asked.
    for seed in [3, 1, 2] {
        put(store, &approval(seed))?;
    }
    put(store, &sample::of_organisation(4, OTHER))?;
    let listed = |key: Option<&'static str>, limit| {
        within(store, move |state| state.pending(ORGANISATION, key, limit))
            .map(|found| found.iter().map(|approval| approval.id).collect::<Vec<_>>())
    };
    let ids = |seeds: &[u8]| {
        seeds
            .iter()
            .map(|seed| approval(*seed).id)
            .collect::<Vec<_>>()
    };
    ensure(
        listed(None, 10)? == ids(&[1, 2, 3]),
        "not what waits, oldest first",
    )?;
    ensure(listed(None, 2)? == ids(&[1, 2]), "the limit is not kept")?;
    ensure(
        listed(Some("key-2"), 10)? == ids(&[2]),
        "the key is not kept",
    )?;
    let mut decided = approval(1);
    decided.status = Status::Approved;
    put(store, &decided)?;
    ensure(
        listed(None, 10)? == ids(&[2, 3]),
        "a decided approval still waits",
    )
}

fn due_is_found(store: &dyn Store) -> Check {
    let due_at = |seed, due: Option<u64>| {
        let mut approval = approval(seed);
        approval.due = due.map(Timestamp::from_millis);
        approval
    };
    for (seed, due) in [(1, Some(30)), (2, Some(10)), (3, None), (4, Some(20))] {
        put(store, &due_at(seed, due))?;
    }
    let found = |now, limit| {
        within(store, move |state| {
            state.due(Timestamp::from_millis(now), limit)
        })
    };
    let ids = |seeds: &[u8]| {
        seeds
            .iter()
            .map(|seed| approval(*seed).id)
            .collect::<Vec<_>>()
    };
    ensure(found(9, 10)?.is_empty(), "something is due too early")?;
    ensure(
        found(20, 10)? == ids(&[2, 4]),
        "the due ones are not found in order",
    )?;
    ensure(found(100, 1)? == ids(&[2]), "the limit is not kept")?;
    put(store, &due_at(2, None))?;
    put(store, &due_at(4, Some(40)))?;
    ensure(
        found(30, 10)? == ids(&[1]),
        "an old due time is still found",
    )?;
    let next = within(store, |state| state.next_due())?;
    ensure(
        next == Some(Timestamp::from_millis(30)),
        "the next due time is wrong",
    )
}

fn resume_keys_lead(store: &dyn Store) -> Check {
    let key = Digest([9; 32]);
    for seed in [1, 2] {
        put(store, &sample::resumable(seed, key))?;
    }
    // A later state of the older one does not make it the newest.
    let mut older = sample::resumable(1, key);
    older.status = Status::Expired;
    put(store, &older)?;
    let found = within(store, |state| state.resumable(&key))?;
    ensure(found == Some(approval(2).id), "not the newest")?;
    let none = within(store, |state| state.resumable(&Digest([8; 32])))?;
    ensure(none.is_none(), "an unknown key leads somewhere")
}

fn nonces_expire(store: &dyn Store) -> Check {
    let find = |seed, now| {
        within(store, move |state| {
            state.nonce(&nonce_key(seed), Timestamp::from_millis(now))
        })
    };
    ensure(find(1, 0)?.is_none(), "a nonce stood in an empty store")?;
    for answer in sample::all_answers(1_000) {
        within(store, |state| state.put_nonce(&nonce_key(1), &answer))?;
        ensure(
            find(1, 999)?.as_ref() == Some(&answer),
            &format!("{answer:?} is not kept"),
        )?;
    }
    ensure(find(1, 1_000)?.is_none(), "an expired nonce is still found")?;
    ensure(find(2, 0)?.is_none(), "another nonce is found")?;
    within(store, |state| {
        state.put_nonce(&nonce_key(1), &answered(7, 5_000))
    })?;
    // Kept again after it expired: the new one counts, whatever is cleaned up meanwhile.
    ensure(find(3, 2_000)?.is_none(), "another nonce is found")?;
    ensure(
        find(1, 2_000)? == Some(answered(7, 5_000)),
        "the new answer is not kept",
    )
}

fn memories_are_kept(store: &dyn Store) -> Check {
    for seed in [1, 2] {
        within(store, |state| state.put_memory(&memory(seed)))?;
    }
    let mut more = memory(1);
    more.approved_at.push(Timestamp::from_millis(77));
    within(store, |state| state.put_memory(&more))?;
    let found = within(store, |state| state.memory(&more.fingerprint))?;
    ensure(found.as_ref() == Some(&more), "not the one put last")?;
    let mut listed = within(store, |state| state.memories(ORGANISATION))?;
    listed.sort_by_key(|memory| memory.fingerprint);
    ensure(listed == [more, memory(2)], "not all are listed")?;
    ensure(
        within(store, |state| state.memories(OTHER))?.is_empty(),
        "others' are listed",
    )?;
    within(store, |state| state.remove_memory(&memory(2).fingerprint))?;
    // Removing what is not there is no error.
    within(store, |state| state.remove_memory(&memory(2).fingerprint))?;
    let found = within(store, |state| state.memory(&memory(2).fingerprint))?;
    ensure(found.is_none(), "a removed memory is still found")
}

fn chains_take_the_next_event(store: &dyn Store) -> Check {
    let head = within(store, |state| state.head(ORGANISATION))?;
    ensure(
        head == audit::genesis(ORGANISATION),
        "an empty chain does not begin at its genesis",
    )?;
    let first = within(store, |state| append(state, ORGANISATION, "one"))?;
    let elsewhere = within(store, |state| append(state, OTHER, "one"))?;
    ensure(
        first.seq == 1 && elsewhere.seq == 1,
        "chains are not numbered each for itself",
    )?;
    let again = store.transact(&mut |state| {
        let event = Entry::new(EventKind::EngineError, Timestamp::default()).seal(&head);
        state.append(&organisation(ORGANISATION), event)
    });
    ensure(
        again.is_err(),
        "a second event of the same number was taken",
    )?;
    let last = within(store, |state| {
        append(state, ORGANISATION, "two")?;
        append(state, ORGANISATION, "three")
    })?;
    let page = store
        .events(ORGANISATION, 1, 1)
        .map_err(|error| said(&error))?;
    ensure(
        matches!(&*page, [event] if event.seq == 2),
        "pages do not go on where they ended",
    )?;
    let events = store
        .events(ORGANISATION, 0, 100)
        .map_err(|error| said(&error))?;
    let anchor = store
        .first_anchor(ORGANISATION)
        .map_err(|error| said(&error))?;
    let report = audit::verify(ORGANISATION, anchor, events, &[first, last]);
    ensure(
        report.is_valid() && report.head == last,
        &format!("the chain is broken: {report:?}"),
    )
}

fn the_claim_key_stays(store: &dyn Store) -> Check {
    let key = |seed| {
        store
            .claim_key(&mut Entropy::from_seed([seed; 32]))
            .map_err(|error| said(&error))
    };
    ensure(key(1)? == key(2)?, "it was made twice")
}

fn claimers_are_known(store: &dyn Store) -> Check {
    let claimed = |name: &'static str, key: &'static str| {
        within(store, move |state| state.has_claimed(name, key))
    };
    for _ in 0..2 {
        within(store, |state| {
            state.mark_claimed(&organisation(ORGANISATION), &Arc::from("key"))
        })?;
    }
    ensure(claimed(ORGANISATION, "key")?, "it was forgotten")?;
    ensure(
        !claimed(ORGANISATION, "other")?,
        "another key is taken for it",
    )?;
    ensure(
        !claimed(OTHER, "key")?,
        "another organisation's key is taken for it",
    )
}

fn transactions_run_alone(store: &Arc<dyn Store>) -> Check {
    const EACH: u64 = 200;
    let writers: Vec<_> = (0..2)
        .map(|_| {
            let store = Arc::clone(store);
            thread::spawn(move || {
                (0..EACH).try_for_each(|_| {
                    within(&*store, |state| append(state, ORGANISATION, "x")).map(|_| ())
                })
            })
        })
        .collect();
    for writer in writers {
        writer
            .join()
            .map_err(|_| "a writer panicked".to_owned())??;
    }
    let events = store
        .events(ORGANISATION, 0, usize::MAX)
        .map_err(|error| said(&error))?;
    let report = audit::verify(ORGANISATION, audit::genesis(ORGANISATION), events, &[]);
    ensure(
        report.is_valid() && report.events == 2 * EACH,
        &format!("{report:?}"),
    )
}
