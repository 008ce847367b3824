//! What goes on by itself: time acts on approvals, the audit is signed, policies are reloaded.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::app::{App, Shared};
use crate::moments::time;

/// The longest time between two looks at what is due: another process may have added something.
const SWEEP_AT_MOST: Duration = Duration::from_secs(1);
/// The shortest one.
const SWEEP_AT_LEAST: Duration = Duration::from_millis(20);
/// How often the audit is signed (DESIGN 10).
const CHECKPOINT_EVERY: Duration = Duration::from_mins(1);
/// How often budgets of those who are gone are forgotten.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// Starts all of it. Everything ends when the service closes.
pub(crate) fn start(app: &App) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(sweep(Arc::clone(app)));
    tasks.spawn(checkpoint(Arc::clone(app)));
    tasks.spawn(tidy(Arc::clone(app)));
    tasks.spawn(reload(Arc::clone(app)));
    if let Some(policies) = &app.policies {
        let (policies, mut closing) = (Arc::clone(policies), app.closing.clone());
        tasks.spawn(async move {
            let stop = async move { closing.wait().await };
            policies.watch_folder(time, stop).await;
        });
    }
    tasks
}

/// Waits; `false` once the service closes.
async fn pause(app: &Shared, duration: Duration) -> bool {
    let mut closing = app.closing.clone();
    tokio::select! {
        () = closing.wait() => false,
        () = sleep(duration) => true,
    }
}

/// Requests end undecided, approvals unclaimed, claims unknown: when they are due.
async fn sweep(app: App) {
    let mut wait = SWEEP_AT_LEAST;
    while pause(&app, wait).await {
        let (engine, moment) = (app.engine.clone(), app.moments.now());
        let swept = app.pool.run(move || engine.sweep(&moment)).await;
        app.health.note(&app.engine.failures());
        wait = match swept {
            Ok(Ok(swept)) => swept.next_due.map_or(SWEEP_AT_MOST, |due| {
                let left = due.millis().saturating_sub(time().millis());
                Duration::from_millis(left).clamp(SWEEP_AT_LEAST, SWEEP_AT_MOST)
            }),
            Ok(Err(error)) => {
                tracing::error!(%error, "what is due could not be looked at");
                SWEEP_AT_MOST
            }
            Err(_) => SWEEP_AT_MOST,
        };
    }
}

/// Signs the audit's head, so that what stands before it cannot be changed unseen.
async fn checkpoint(app: App) {
    while pause(&app, CHECKPOINT_EVERY).await {
        let (engine, moment) = (app.engine.clone(), app.moments.now());
        if let Ok(Err(error)) = app.pool.run(move || engine.checkpoint(&moment)).await {
            tracing::error!(%error, "the audit could not be signed");
        }
    }
}

async fn tidy(app: App) {
    while pause(&app, TIDY_EVERY).await {
        app.rates.tidy();
    }
}

/// SIGHUP reloads the policies at once. It never ends the service.
async fn reload(app: App) {
    use tokio::signal::unix::{SignalKind, signal};

    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(error) => {
            tracing::warn!(%error, "SIGHUP cannot be heard");
            return;
        }
    };
    let mut closing = app.closing.clone();
    loop {
        tokio::select! {
            () = closing.wait() => return,
            heard = hangup.recv() => if heard.is_none() { return },
        }
        if let Some(policies) = app.policies.clone() {
            let _ = app.pool.run(move || policies.reload(time())).await;
        } else {
            tracing::info!("SIGHUP: there is no folder of policies to reload");
        }
    }
}
