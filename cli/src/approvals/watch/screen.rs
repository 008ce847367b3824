//! The live table: keys, drawing, and a terminal that is given back however it ends.

use std::io::{self, IsTerminal as _, Write as _};
use std::pin::pin;
use std::sync::{Arc, Once};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::style::{Attribute, Print, SetAttribute};
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{cursor, execute, queue, terminal};
use sernixa_engine::Request;
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, channel};

use super::Watch;
use super::view::{Look, Open, View};
use crate::approvals::decide::{self, Answer};
use crate::backend::follow;
use crate::output::{one_line, terminal_size};
use crate::record::Record;
use crate::{Failure, when};

/// Ages move on.
const TICK: Duration = Duration::from_secs(1);

/// Whether there is a terminal on both ends.
pub(super) fn is_possible() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && !dumb
}

/// What a key leads to.
enum Next {
    GoOn,
    Look,
    End,
}

/// Shows what waits, until `q` or Ctrl-C.
pub(super) async fn run(watch: Watch<'_>) -> Result<(), Failure> {
    // Before the screen changes: a service that cannot be asked at all is an error.
    watch
        .backend
        .ask_async(Request::Pending { limit: 1 })
        .await?;
    let _screen = Screen::enter()?;
    let interrupt = Arc::new(Notify::new());
    let keys = keys(Arc::clone(&interrupt));
    tokio::select! {
        // At once, also while an answer is awaited.
        () = interrupt.notified() => Ok(()),
        ended = show(watch, keys) => ended,
    }
}

async fn show(mut watch: Watch<'_>, mut keys: Receiver<Event>) -> Result<(), Failure> {
    let (sender, mut signals) = channel(64);
    let mut telling = pin!(follow(watch.backend, sender));
    let mut tick = tokio::time::interval(TICK);
    let mut view = View::default();
    view.tell(&watch.look().await?);
    loop {
        draw(&view, &watch)?;
        let mut look = false;
        tokio::select! {
            never = &mut telling => match never {},
            () = watch.due(&mut signals) => look = true,
            event = keys.recv() => match event {
                Some(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                    match press(&mut view, &watch, key).await {
                        Next::GoOn => {}
                        Next::Look => look = true,
                        Next::End => return Ok(()),
                    }
                }
                // Another size: drawn anew.
                Some(_) => {}
                // The terminal has gone.
                None => return Ok(()),
            },
            _ = tick.tick() => {}
        }
        if look {
            view.tell(&watch.look().await?);
        }
    }
}

/// Reads keys on a thread of its own, which ends with the process: a terminal is read by blocking,
/// and Ctrl-C is a key here.
fn keys(interrupt: Arc<Notify>) -> Receiver<Event> {
    let (sender, keys) = channel(64);
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if let Event::Key(key) = &event
                && key.modifiers.contains(KeyModifiers::CONTROL)
                && key.code == KeyCode::Char('c')
            {
                interrupt.notify_one();
            } else if sender.blocking_send(event).is_err() {
                break;
            }
        }
    });
    keys
}

async fn press(view: &mut View, watch: &Watch<'_>, key: KeyEvent) -> Next {
    view.remark.clear();
    if let Some(Open {
        deciding: Some(_), ..
    }) = &view.open
    {
        return deciding(view, watch, key.code).await;
    }
    match key.code {
        KeyCode::Up | KeyCode::Char('k') => view.step(watch, -1),
        KeyCode::Down | KeyCode::Char('j') => view.step(watch, 1),
        KeyCode::PageUp => view.step(watch, -10),
        KeyCode::PageDown => view.step(watch, 10),
        KeyCode::Enter => open(view, watch, None).await,
        KeyCode::Char('a') => open(view, watch, Some(Answer::Approve)).await,
        KeyCode::Char('r') => open(view, watch, Some(Answer::Reject)).await,
        KeyCode::Esc | KeyCode::Char('q') => match view.open.take() {
            Some(_) => {}
            None => return Next::End,
        },
        _ => {}
    }
    Next::GoOn
}

/// Opens the chosen approval in full: nobody decides what was not shown.
async fn open(view: &mut View, watch: &Watch<'_>, answer: Option<Answer>) {
    let id = match &view.open {
        Some(open) => open.id.clone(),
        None => match view.chosen(watch) {
            Some(id) => id.to_owned(),
            None => return,
        },
    };
    let request = Request::Record { approval_id: &id };
    let read = watch.backend.ask_async(request).await;
    match read.and_then(|body| Record::parse(&body)) {
        Ok(record) => view.open = Some(Open::new(&id, &record, answer)),
        Err(failure) => view.remark = one_line(&failure.chain()).to_string(),
    }
}

/// A key while a reason is typed.
async fn deciding(view: &mut View, watch: &Watch<'_>, key: KeyCode) -> Next {
    let Some(open) = &mut view.open else {
        return Next::GoOn;
    };
    let Some((answer, reason)) = &mut open.deciding else {
        return Next::GoOn;
    };
    match key {
        KeyCode::Esc => open.deciding = None,
        KeyCode::Backspace => drop(reason.pop()),
        KeyCode::Char(character) => reason.push(character),
        KeyCode::Up => open.top = open.top.saturating_sub(1),
        KeyCode::Down => open.top = open.top.saturating_add(1),
        KeyCode::Enter => {
            let Ok(reason) = decide::checked(reason) else {
                return Next::GoOn;
            };
            let (id, answer) = (open.id.clone(), *answer);
            view.open = None;
            let sent = decide::send(watch.backend, &id, answer, &reason).await;
            view.remark = match sent {
                Ok(_) => format!("Approval {} {}.", one_line(&id), answer.word()),
                Err(failure) => one_line(&failure.chain()).to_string(),
            };
            return Next::Look;
        }
        _ => {}
    }
    Next::GoOn
}

fn draw(view: &View, watch: &Watch<'_>) -> Result<(), Failure> {
    let size = terminal_size();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let mut out = io::stdout().lock();
    queue!(out, cursor::MoveTo(0, 0))?;
    for (at, line) in view.lines(watch, when::now(), size).into_iter().enumerate() {
        if at > 0 {
            queue!(out, Print("\r\n"))?;
        }
        match line.look {
            Look::Heading if !plain => queue!(out, SetAttribute(Attribute::Bold))?,
            Look::Chosen if !plain => queue!(out, SetAttribute(Attribute::Reverse))?,
            _ => {}
        }
        // The escapes here are ours; those of others were made visible when the line was made.
        queue!(out, Print(line.text))?;
        queue!(
            out,
            SetAttribute(Attribute::Reset),
            Clear(ClearType::UntilNewLine)
        )?;
    }
    queue!(out, Clear(ClearType::FromCursorDown))?;
    Ok(out.flush()?)
}

/// The terminal as a screen. Dropping it gives the terminal back.
struct Screen;

impl Screen {
    fn enter() -> Result<Self, Failure> {
        static HOOK: Once = Once::new();
        // A panic's message must not vanish with the screen.
        HOOK.call_once(|| {
            let told = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                give_back();
                told(info);
            }));
        });
        let screen = Self;
        terminal::enable_raw_mode()?;
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            DisableLineWrap,
            cursor::Hide
        )?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Undoes all of it; what fails here has no terminal to be seen on.
fn give_back() {
    let _ = execute!(
        io::stdout(),
        cursor::Show,
        EnableLineWrap,
        LeaveAlternateScreen
    );
    let _ = terminal::disable_raw_mode();
}
