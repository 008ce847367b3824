//! The two doors, from every place that a governed function may be called from (DESIGN 4).

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Client, Error, RiskLevel};

use crate::support::service::{SUBMIT, Says, Service, action};

#[sernixa::intercept(
    intent_id = "doors",
    risk_level = "LOW",
    operation_class = "read",
    data_sensitivity = "internal",
    systems_touched = ["db"],
    client = client,
    handles = [client, ran]
)]
fn governed(client: &Client, ran: &AtomicUsize) -> Result<&'static str, Error> {
    ran.fetch_add(1, Ordering::SeqCst);
    Ok("ran")
}

#[sernixa::intercept(
    intent_id = "doors",
    risk_level = "LOW",
    operation_class = "read",
    data_sensitivity = "internal",
    systems_touched = ["db"],
    client = client,
    handles = [client, ran]
)]
async fn governed_async(client: &Client, ran: &AtomicUsize) -> Result<&'static str, Error> {
    ran.fetch_add(1, Ordering::SeqCst);
    Ok("ran")
}

#[sernixa::intercept(
    intent_id = "doors-grave",
    risk_level = "HIGH",
    operation_class = "delete",
    data_sensitivity = "internal",
    systems_touched = ["db"],
    client = client,
    handles = [client, ran]
)]
fn grave(client: &Client, ran: &AtomicUsize) -> Result<&'static str, Error> {
    ran.fetch_add(1, Ordering::SeqCst);
    Ok("ran")
}

#[sernixa::intercept(
    intent_id = "doors-grave",
    risk_level = "HIGH",
    operation_class = "delete",
    data_sensitivity = "internal",
    systems_touched = ["db"],
    client = client,
    handles = [client, ran]
)]
async fn grave_async(client: &Client, ran: &AtomicUsize) -> Result<&'static str, Error> {
    ran.fetch_add(1, Ordering::SeqCst);
    Ok("ran")
}

/// A client that decides in this process: a closure reviews, and says yes while `yes` is set.
fn embedded(yes: &Arc<AtomicBool>) -> Client {
    let yes = Arc::clone(yes);
    Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .reviewer(move |_: &Record| {
            if yes.load(Ordering::SeqCst) {
                Decision::approve_because("as the test says")
            } else {
                Decision::reject("as the test says")
            }
        })
        .build()
        .unwrap()
}

type Body = Box<dyn FnOnce() -> Result<&'static str, Error> + Send>;
type Later = smol::future::Boxed<Result<&'static str, Error>>;

/// Calls a governed function from one place: allowed at once, refused, and approved after a wait.
/// `place` runs a closure there.
fn sync_door(place: impl Fn(Body) -> Result<&'static str, Error>) {
    let service = Service::full(Says::Allowed);
    let client = service.client();
    let ran = Arc::new(AtomicUsize::new(0));
    let call = || -> Body {
        let (client, ran) = (client.clone(), Arc::clone(&ran));
        Box::new(move || governed(&client, &ran))
    };

    assert_eq!(place(call()).unwrap(), "ran");
    assert_eq!(ran.load(Ordering::SeqCst), 1);

    service.say(Says::Refused);
    assert!(matches!(place(call()), Err(Error::Blocked(_))));
    assert_eq!(ran.load(Ordering::SeqCst), 1);

    service.say(Says::Pending);
    thread::scope(|scope| {
        scope.spawn(|| {
            service.server.wait_for("GET", "/api/approvals/apr-3", 1);
            assert_eq!(
                ran.load(Ordering::SeqCst),
                1,
                "the body began before the decision"
            );
            service.decide("approved");
        });
        assert_eq!(place(call()).unwrap(), "ran");
    });
    assert_eq!(ran.load(Ordering::SeqCst), 2);
    client.close_blocking();

    // The same with the engine in this process.
    let yes = Arc::new(AtomicBool::new(false));
    let client = embedded(&yes);
    let call = |body: fn(&Client, &AtomicUsize) -> Result<&'static str, Error>| -> Body {
        let (client, ran) = (client.clone(), Arc::clone(&ran));
        Box::new(move || body(&client, &ran))
    };
    assert_eq!(place(call(governed)).unwrap(), "ran");
    assert!(matches!(place(call(grave)), Err(Error::Rejected(_))));
    assert_eq!(ran.load(Ordering::SeqCst), 3);
    yes.store(true, Ordering::SeqCst);
    assert_eq!(place(call(grave)).unwrap(), "ran");
    client.close_blocking();
}

fn multi_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_sync_function_is_governed_on_a_plain_thread() {
    sync_door(|body| thread::spawn(body).join().unwrap());
}

#[test]
fn a_sync_function_is_governed_on_a_multi_thread_worker_and_its_only_worker_goes_on() {
    let runtime = multi_thread();
    sync_door(|body| {
        runtime.block_on(async {
            // The one worker is blocked by the call; what it was to do is handed over.
            let call = tokio::spawn(async { body() });
            let other = tokio::spawn(async { tokio::task::yield_now().await });
            other.await.unwrap();
            call.await.unwrap()
        })
    });
}

#[test]
fn a_sync_function_is_governed_in_a_local_set_on_a_multi_thread_runtime() {
    let runtime = multi_thread();
    sync_door(|body| {
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async {
            tokio::task::spawn_local(async { body() }).await.unwrap()
        })
    });
}

#[test]
fn a_sync_function_is_governed_on_a_current_thread_runtime_which_stands_still() {
    let runtime = current_thread();
    sync_door(|body| runtime.block_on(async { body() }));
}

#[test]
fn a_sync_function_is_governed_in_spawn_blocking() {
    let (many, one) = (multi_thread(), current_thread());
    sync_door(|body| many.block_on(async { tokio::task::spawn_blocking(body).await.unwrap() }));
    sync_door(|body| one.block_on(async { tokio::task::spawn_blocking(body).await.unwrap() }));
}

#[test]
fn a_sync_function_is_governed_on_rayon() {
    sync_door(|body| {
        let (sender, receiver) = mpsc::channel();
        rayon::spawn(move || sender.send(body()).unwrap());
        receiver.recv().unwrap()
    });
}

#[test]
fn a_sync_function_is_governed_under_smol() {
    sync_door(|body| smol::block_on(smol::spawn(async { body() })));
}

#[test]
fn a_sync_function_is_governed_in_the_destructor_of_a_thread_local() {
    struct Last(Option<Box<dyn FnOnce()>>);
    impl Drop for Last {
        fn drop(&mut self) {
            if let Some(last) = self.0.take() {
                last();
            }
        }
    }
    thread_local! {
        static LAST: RefCell<Last> = const { RefCell::new(Last(None)) };
    }
    sync_door(|body| {
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            LAST.with(|last| {
                last.borrow_mut().0 = Some(Box::new(move || sender.send(body()).unwrap()));
            });
        });
        let answer = receiver.recv().unwrap();
        thread.join().unwrap();
        answer
    });
}

#[test]
fn without_block_in_place_a_worker_waits_where_it_is() {
    let service = Service::full(Says::Allowed);
    let client = service.builder().block_in_place(false).build().unwrap();
    let runtime = multi_thread();
    let local = tokio::task::LocalSet::new();
    let before = std::panic::take_hook();
    let spoke = Arc::new(AtomicUsize::new(0));
    let name = thread::current().id();
    std::panic::set_hook({
        let spoke = Arc::clone(&spoke);
        Box::new(move |info| {
            if thread::current().id() == name {
                spoke.fetch_add(1, Ordering::SeqCst);
            } else {
                before(info);
            }
        })
    });
    let ran = AtomicUsize::new(0);
    let out = local.block_on(&runtime, async { governed(&client, &ran) });
    assert_eq!(out.unwrap(), "ran");
    assert_eq!(spoke.load(Ordering::SeqCst), 0, "the panic hook spoke");
    let _ = std::panic::take_hook();
    client.close_blocking();
}

/// As [`sync_door`], for the async door: `executor` drives a future to its end.
fn async_door(executor: impl Fn(Later) -> Result<&'static str, Error>) {
    let service = Service::full(Says::Allowed);
    let client = service.client();
    let ran = Arc::new(AtomicUsize::new(0));
    let call = || -> Later {
        let (client, ran) = (client.clone(), Arc::clone(&ran));
        Box::pin(async move { governed_async(&client, &ran).await })
    };

    assert_eq!(executor(call()).unwrap(), "ran");
    assert_eq!(ran.load(Ordering::SeqCst), 1);

    service.say(Says::Refused);
    assert!(matches!(executor(call()), Err(Error::Blocked(_))));
    assert_eq!(ran.load(Ordering::SeqCst), 1);

    service.say(Says::Pending);
    thread::scope(|scope| {
        scope.spawn(|| {
            service.server.wait_for("GET", "/api/approvals/apr-3", 1);
            assert_eq!(
                ran.load(Ordering::SeqCst),
                1,
                "the body began before the decision"
            );
            service.decide("approved");
        });
        assert_eq!(executor(call()).unwrap(), "ran");
    });
    assert_eq!(ran.load(Ordering::SeqCst), 2);
    client.close_blocking();

    // The same with the engine in this process.
    let yes = Arc::new(AtomicBool::new(false));
    let client = embedded(&yes);
    let low = || -> Later {
        let (client, ran) = (client.clone(), Arc::clone(&ran));
        Box::pin(async move { governed_async(&client, &ran).await })
    };
    let high = || -> Later {
        let (client, ran) = (client.clone(), Arc::clone(&ran));
        Box::pin(async move { grave_async(&client, &ran).await })
    };
    assert_eq!(executor(low()).unwrap(), "ran");
    assert!(matches!(executor(high()), Err(Error::Rejected(_))));
    assert_eq!(ran.load(Ordering::SeqCst), 3);
    yes.store(true, Ordering::SeqCst);
    assert_eq!(executor(high()).unwrap(), "ran");
    client.close_blocking();
}

#[test]
fn an_async_function_is_governed_under_both_flavours_of_tokio() {
    let (many, one) = (multi_thread(), current_thread());
    async_door(|future| many.block_on(async { tokio::spawn(future).await.unwrap() }));
    async_door(|future| many.block_on(future));
    async_door(|future| one.block_on(future));
}

#[test]
fn an_async_function_is_governed_under_smol() {
    async_door(|future| smol::block_on(smol::spawn(future)));
}

#[test]
fn an_async_function_is_governed_under_a_bare_block_on() {
    async_door(pollster::block_on);
}

#[test]
fn an_async_function_is_governed_across_two_runtimes_one_after_the_other() {
    // A runtime of its own for each call; the client and its connections outlive them all.
    async_door(|future| current_thread().block_on(future));
    async_door(|future| multi_thread().block_on(async { tokio::spawn(future).await.unwrap() }));
    // The first runtime lives on, but nobody drives it.
    let first = current_thread();
    let service = Service::full(Says::Allowed);
    let client = service.client();
    let ran = AtomicUsize::new(0);
    first.block_on(governed_async(&client, &ran)).unwrap();
    current_thread()
        .block_on(governed_async(&client, &ran))
        .unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 2);
    drop(first);
    client.close_blocking();
}

#[test]
fn an_async_function_is_governed_where_the_callers_clock_stands_still() {
    let paused = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    async_door(|future| paused().block_on(future));
}

#[test]
fn an_async_function_is_governed_on_a_runtime_without_timers() {
    let bare = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    async_door(|future| bare.block_on(future));
}

#[test]
fn a_future_may_move_between_threads_while_it_waits() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let mut future = Box::pin(client.authorize(&action(RiskLevel::High)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    service.server.wait_for("POST", SUBMIT, 1);
    service.decide("approved");
    let permit = thread::spawn(move || pollster::block_on(future))
        .join()
        .unwrap()
        .unwrap();
    assert_eq!(permit.approval_id(), Some("apr-1"));
    permit.succeeded();
    assert_eq!(service.outcomes(1), ["succeeded"]);
}

#[test]
fn nothing_is_asked_before_the_future_is_polled() {
    let service = Service::full(Says::Allowed);
    let client = service.client();
    drop(client.authorize(&action(RiskLevel::Low)));
    client
        .run(&action(RiskLevel::Low), || Ok::<_, Error>(()))
        .unwrap();
    assert_eq!(service.server.requests_to("POST", SUBMIT).len(), 1);
    client.close_blocking();
}

#[test]
fn after_close_every_call_is_an_error_and_what_was_queued_has_arrived() {
    let service = Service::full(Says::Allowed);
    let client = service.client();
    let permit = client.authorize_blocking(&action(RiskLevel::Low)).unwrap();
    client
        .run(&action(RiskLevel::Low), || Ok::<_, Error>(()))
        .unwrap();
    permit.failed();
    client.clone().close_blocking();
    let mut words = service.outcomes(2);
    words.sort();
    assert_eq!(words, ["failed", "succeeded"]);
    let closed = client
        .run(&action(RiskLevel::Low), || Ok::<_, Error>(()))
        .unwrap_err();
    assert!(matches!(closed, Error::Configuration(_)), "{closed}");
    let closed = pollster::block_on(client.authorize(&action(RiskLevel::Low))).unwrap_err();
    assert!(matches!(closed, Error::Configuration(_)), "{closed}");
    client.close_blocking();
}

#[test]
fn closing_ends_the_calls_that_wait_and_takes_them_back() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| client.authorize_blocking(&action(RiskLevel::High)));
        service.server.wait_for("GET", &Service::path(""), 1);
        client.close_blocking();
        let ended = waiting.join().unwrap().unwrap_err();
        assert!(matches!(ended, Error::Configuration(_)), "{ended}");
        assert_eq!(ended.approval_id(), Some("apr-1"));
    });
    assert_eq!(
        service
            .server
            .requests_to("POST", &Service::path("/withdraw"))
            .len(),
        1
    );
}
