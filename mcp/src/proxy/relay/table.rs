//! What is in flight between a host and a server.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::super::seam::{Host, Started};
use super::Sharing;
use super::facts::{Facts, Session};
use crate::message::{Id, Message};

/// Which tool call this is: an id is free again once its call was cancelled, while that call's own
/// task may still be on its way out with a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// Who in the proxy asked the server.
pub(super) type Asker = oneshot::Sender<Message>;

/// A request of the host's that has no answer yet.
pub(super) struct Flight {
    /// Where its answer goes.
    pub(super) reply: Arc<dyn Host>,
    /// Its id, as the host wrote it.
    pub(super) id: Id,
    /// Its progress token, as the host wrote it.
    pub(super) token: Option<Id>,
    /// What its answer means to the proxy.
    pub(super) asks: Asks,
    pub(super) stage: Stage,
    /// The host wants what the server logs of it (2026-07-28).
    pub(super) wants_logs: bool,
    /// It was cancelled; a late answer may come.
    pub(super) cancelled: bool,
}

/// What a request asks for, as far as its answer matters to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    Initialize,
    ToolsList,
    Listen,
    Anything,
}

impl Asks {
    pub(super) fn of(method: &str) -> Self {
        match method {
            "initialize" => Self::Initialize,
            "tools/list" => Self::ToolsList,
            "subscriptions/listen" => Self::Listen,
            _ => Self::Anything,
        }
    }
}

/// How far a request came.
pub(super) enum Stage {
    /// A tool call at the gate; the server knows nothing of it. Dropping the sender ends its task.
    Held {
        #[expect(dead_code, reason = "kept for what its drop does")]
        task: oneshot::Sender<()>,
        call: Ticket,
        /// How much it keeps in memory.
        bytes: usize,
    },
    /// A tool call that was let through.
    Started(Box<dyn Started>),
    /// Anything else; forwarded.
    Passed,
}

impl Stage {
    const fn held_bytes(&self) -> usize {
        match self {
            Self::Held { bytes, .. } => *bytes,
            Self::Started(_) | Self::Passed => 0,
        }
    }
}

/// Whose answer came.
pub(super) enum Taken {
    Flight(Box<Flight>),
    Asked(Asker),
    /// Nobody's: it was never asked, or answered before.
    Nothing,
}

/// Why a request is not taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Its id is in flight.
    Doubled,
    /// Too many are in flight.
    TooMany,
    /// The server is gone, and why.
    Ended(String),
}

/// What came of a cancellation.
pub(super) enum Cancelled {
    /// It was held: it is gone, and the server must not hear of it.
    Held(Box<Flight>),
    /// The server has it.
    Running,
    /// There is no such request.
    Unknown,
}

/// Everything in flight, under the ids that the server sees.
pub(super) struct Table {
    sharing: Sharing,
    most: usize,
    /// The most bytes of calls that are held, and how many there are.
    most_held: usize,
    held: usize,
    /// The last id of the proxy's own.
    last: u64,
    /// The last ticket.
    tickets: u64,
    /// What ids of the proxy's own begin with, where the host's pass as they are.
    own: String,
    flights: HashMap<Id, Flight>,
    /// Progress tokens as the server sees them, and whose they are.
    tokens: HashMap<Id, Id>,
    asked: HashMap<Id, Asker>,
    /// Requests of the server's, and to whom they went.
    servers: HashMap<Id, Arc<dyn Host>>,
    /// What `initialize` said.
    pub(super) session: Session,
    host_gone: bool,
    server_gone: Option<String>,
}

impl Table {
    pub(super) fn new(sharing: Sharing, most: usize, most_held: usize) -> Self {
        let mut random = [0; 8];
        // Without randomness a host could only harm itself by guessing: its own request is refused.
        let _ = getrandom::fill(&mut random);
        Self {
            sharing,
            most,
            most_held,
            held: 0,
            last: 0,
            tickets: 0,
            own: format!("sernixa-{:016x}-", u64::from_ne_bytes(random)),
            flights: HashMap::new(),
            tokens: HashMap::new(),
            asked: HashMap::new(),
            servers: HashMap::new(),
            session: Session::default(),
            host_gone: false,
            server_gone: None,
        }
    }

    /// For a tool call that is to be held.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Takes a request of the host's in, and gives the id under which the server sees it.
    pub(super) fn open(
        &mut self,
        id: &Id,
        reply: &Arc<dyn Host>,
        facts: &Facts,
        asks: Asks,
        stage: Stage,
    ) -> Result<Id, Full> {
        if let Some(reason) = &self.server_gone {
            return Err(Full::Ended(reason.clone()));
        }
        let key = match self.sharing {
            Sharing::One => id.clone(),
            Sharing::Many => self.own_id(),
        };
        if self.asked.contains_key(&key) {
            return Err(Full::Doubled);
        }
        let held = self.held.saturating_add(stage.held_bytes());
        let full = self.flights.len() >= self.most || held > self.most_held;
        let Entry::Vacant(place) = self.flights.entry(key.clone()) else {
            return Err(Full::Doubled);
        };
        if full || self.host_gone {
            return Err(Full::TooMany);
        }
        self.held = held;
        place.insert(Flight {
            reply: Arc::clone(reply),
            id: id.clone(),
            token: facts.token.clone(),
            asks,
            stage,
            wants_logs: facts.wants_logs,
            cancelled: false,
        });
        if let Some(token) = self.token_of(&key) {
            // Of two requests with one token the first keeps it; the specification forbids the second.
            self.tokens.entry(token).or_insert_with(|| key.clone());
        }
        Ok(key)
    }

    /// The token that the server sees for this request.
    pub(super) fn token_of(&self, key: &Id) -> Option<Id> {
        let token = self.flights.get(key)?.token.as_ref()?;
        Some(match self.sharing {
            Sharing::One => token.clone(),
            Sharing::Many => key.clone(),
        })
    }

    /// An id of the proxy's own, which no other request has.
    fn own_id(&mut self) -> Id {
        self.last += 1;
        match self.sharing {
            // All ids are ours, and every server takes numbers.
            Sharing::Many => Id::Number(self.last.to_string().into()),
            Sharing::One => Id::Text(format!("{}{}", self.own, self.last).into()),
        }
    }

    /// A question of the proxy's own; `None` when nobody will answer it.
    pub(super) fn ask(&mut self, asker: Asker) -> Option<Id> {
        if self.server_gone.is_some() || self.asked.len() >= self.most {
            return None;
        }
        let id = loop {
            let id = self.own_id();
            // The prefix is random; a host that hit it keeps its id.
            if !self.flights.contains_key(&id) {
                break id;
            }
        };
        self.asked.insert(id.clone(), asker);
        Some(id)
    }

    /// Nobody waits for the answer to this question any more.
    pub(super) fn unask(&mut self, id: &Id) {
        self.asked.remove(id);
    }

    pub(super) fn flight(&self, key: &Id) -> Option<&Flight> {
        self.flights.get(key)
    }

    fn is_held(&self, key: &Id) -> bool {
        let stage = self.flights.get(key).map(|flight| &flight.stage);
        matches!(stage, Some(Stage::Held { .. }))
    }

    /// Whether this very call is held.
    pub(super) fn holds(&self, key: &Id, ticket: Ticket) -> bool {
        let stage = self.flights.get(key).map(|flight| &flight.stage);
        matches!(stage, Some(Stage::Held { call, .. }) if *call == ticket)
    }

    /// The call goes on to the server, unless it was cancelled meanwhile: then it is given back.
    pub(super) fn start(
        &mut self,
        key: &Id,
        ticket: Ticket,
        started: Box<dyn Started>,
    ) -> Result<(), Box<dyn Started>> {
        let held = self.holds(key, ticket);
        match self.flights.get_mut(key) {
            Some(flight) if held => {
                self.held -= flight.stage.held_bytes();
                flight.stage = Stage::Started(started);
                Ok(())
            }
            _ => Err(started),
        }
    }

    /// Ends a call that the server knows nothing of.
    pub(super) fn take_held(&mut self, key: &Id, ticket: Ticket) -> Option<Flight> {
        self.holds(key, ticket).then(|| self.take(key)).flatten()
    }

    /// Ends whatever was asked under this id. What is held was not asked yet.
    pub(super) fn take_answered(&mut self, key: &Id) -> Taken {
        if let Some(asker) = self.asked.remove(key) {
            return Taken::Asked(asker);
        }
        if self.is_held(key) {
            return Taken::Nothing;
        }
        self.take(key)
            .map_or(Taken::Nothing, |flight| Taken::Flight(Box::new(flight)))
    }

    fn take(&mut self, key: &Id) -> Option<Flight> {
        let token = self.token_of(key);
        let flight = self.flights.remove(key)?;
        self.held -= flight.stage.held_bytes();
        if let Some(token) = token
            && self.tokens.get(&token) == Some(key)
        {
            self.tokens.remove(&token);
        }
        Some(flight)
    }

    /// The host cancels a request.
    pub(super) fn cancel(&mut self, key: &Id) -> Cancelled {
        if self.is_held(key) {
            let taken = self.take(key);
            return taken.map_or(Cancelled::Unknown, |flight| {
                Cancelled::Held(Box::new(flight))
            });
        }
        match self.flights.get_mut(key) {
            Some(flight) if !flight.cancelled => {
                flight.cancelled = true;
                Cancelled::Running
            }
            _ => Cancelled::Unknown,
        }
    }

    /// Ends a request that was cancelled and never answered.
    pub(super) fn take_cancelled(&mut self, key: &Id) -> Option<Flight> {
        let cancelled = self.flights.get(key).is_some_and(|flight| flight.cancelled);
        cancelled.then(|| self.take(key)).flatten()
    }

    /// The requests whose answers go to `reply`.
    pub(super) fn of(&self, reply: &Arc<dyn Host>) -> Vec<Id> {
        self.flights
            .iter()
            .filter(|(_, flight)| Arc::ptr_eq(&flight.reply, reply))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Whose progress token this is, of those that the server sees.
    pub(super) fn with_token(&self, token: &Id) -> Option<&Flight> {
        self.flights.get(self.tokens.get(token)?)
    }

    /// The only request that the server works at.
    pub(super) fn only(&self, which: impl Fn(&Flight) -> bool) -> Option<&Flight> {
        let mut running = self
            .flights
            .values()
            .filter(|flight| !matches!(flight.stage, Stage::Held { .. }) && which(flight));
        let one = running.next()?;
        running.next().is_none().then_some(one)
    }

    /// Takes a request of the server's in, which goes to `host`.
    pub(super) fn open_server(&mut self, id: &Id, host: &Arc<dyn Host>) -> Result<(), Full> {
        let full = self.servers.len() >= self.most;
        match self.servers.entry(id.clone()) {
            Entry::Occupied(_) => Err(Full::Doubled),
            Entry::Vacant(_) if full => Err(Full::TooMany),
            Entry::Vacant(place) => {
                place.insert(Arc::clone(host));
                Ok(())
            }
        }
    }

    /// Ends a request of the server's.
    pub(super) fn take_server(&mut self, id: &Id) -> bool {
        self.servers.remove(id).is_some()
    }

    /// To whom a request of the server's went.
    pub(super) fn server_request(&self, id: &Id) -> Option<Arc<dyn Host>> {
        self.servers.get(id).map(Arc::clone)
    }

    /// The host is gone: what was held is given back; what runs is still waited for.
    pub(super) fn host_gone(&mut self) -> Vec<Flight> {
        self.host_gone = true;
        self.servers.clear();
        let held: Vec<Id> = self
            .flights
            .iter()
            .filter(|(_, flight)| matches!(flight.stage, Stage::Held { .. }))
            .map(|(key, _)| key.clone())
            .collect();
        held.iter().filter_map(|key| self.take(key)).collect()
    }

    /// The server is gone: what is given back has to be answered.
    pub(super) fn server_gone(&mut self, reason: &str) -> Vec<Flight> {
        self.server_gone.get_or_insert_with(|| reason.to_owned());
        self.servers.clear();
        self.tokens.clear();
        self.asked.clear();
        self.held = 0;
        self.flights.drain().map(|(_, flight)| flight).collect()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.host_gone || self.server_gone.is_some()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.flights.is_empty()
            && self.tokens.is_empty()
            && self.asked.is_empty()
            && self.servers.is_empty()
            && self.held == 0
    }
}
