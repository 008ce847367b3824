//! `requestState` (MCP 2026-07-28, Multi Round-Trip Requests) as the proxy hands it to hosts:
//! encrypted, authenticated, for one call of one server, for an hour, and good once.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use sernixa::Continuation;

use crate::proxy::state::State;

/// How long a state is good for. The specification asks for a short time; a person fills in a form
/// meanwhile, or decides.
const LIFE: Duration = Duration::from_hours(1);

/// The longest sealed state, in bytes: whoever sends it, it is not looked at beyond.
const LONGEST: usize = 256 << 10;

/// Bytes of the nonce, which is the state's id, too.
const NONCE: usize = 24;

/// What a sealed state says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    /// The form of this content.
    version: u8,
    pub(super) kind: Kind,
    /// The approval; empty where the service named none.
    pub(super) approval: String,
    /// The call's digest: tool, arguments, and what else the server acts on; hex.
    pub(super) call: String,
    /// Which round ends with it, from 1 on: of those held for a person, or of the server's questions.
    pub(super) round: u8,
    /// What tells identical calls apart.
    pub(super) ordinal: u32,
    /// Unix milliseconds.
    until: u64,
    /// The server's own state.
    pub(super) upstream: Option<String>,
    /// The answers to the server's questions, while a person is asked about them: JSON.
    pub(super) inputs: Option<String>,
    /// Of a call that runs: what its next end is reported through, where reports are taken.
    pub(super) reports: Option<Carried>,
}

/// A [`Continuation`] as text. It proves who was let through.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Carried(String);

impl Carried {
    pub(super) fn new(continuation: &Continuation) -> Self {
        Self(continuation.expose_secret())
    }

    pub(super) fn continuation(&self) -> Option<Continuation> {
        Continuation::from_secret(&self.0)
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carried(..)")
    }
}

/// What a state is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// A person is asked.
    Asked,
    /// The call runs, and the server asks for input.
    Continued,
}

/// A state that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) sealed: Sealed,
    /// What is spent.
    pub(super) id: [u8; NONCE],
    /// Until when it has to be remembered as spent.
    pub(super) until: SystemTime,
}

/// Seals and opens states.
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
    /// What else is authenticated: a state of another server, or of a proxy that asks somebody else or
    /// as somebody else, does not open. What one service allowed one caller is nothing to another.
    label: Vec<u8>,
}

impl Sealed {
    pub(super) fn new(kind: Kind, approval: &str, call: &str, round: u8) -> Self {
        Self {
            version: 1,
            kind,
            approval: approval.to_owned(),
            call: call.to_owned(),
            round,
            ordinal: 0,
            until: 0,
            upstream: None,
            inputs: None,
            reports: None,
        }
    }
}

impl Sealer {
    /// `principal`: [`sernixa::Client::principal_digest`] of the client that is asked.
    pub(super) fn new(state: &State, server: &str, principal: &[u8; 32]) -> Self {
        let key = state.derive("request state");
        let mut label = b"sernixa.mcp.state.v1\0".to_vec();
        label.extend_from_slice(principal);
        label.extend_from_slice(server.as_bytes());
        Self {
            cipher: XChaCha20Poly1305::new(key.expose_secret().into()),
            label,
        }
    }

    /// Seals; `None` for what is too long for a host to carry, and without randomness.
    pub(super) fn seal(&self, sealed: &Sealed, now: SystemTime) -> Option<String> {
        let until = millis(now + LIFE);
        let content = Sealed {
            until,
            ..sealed.clone()
        };
        let plain = serde_json::to_vec(&content).ok()?;
        let mut out = vec![0; NONCE];
        getrandom::fill(&mut out).ok()?;
        let payload = Payload {
            msg: &plain,
            aad: &self.label,
        };
        let encrypted = self
            .cipher
            .encrypt(XNonce::from_slice(&out), payload)
            .ok()?;
        out.extend_from_slice(&encrypted);
        let text = URL_SAFE_NO_PAD.encode(out);
        (text.len() <= LONGEST).then_some(text)
    }

    /// Opens; `None` for what is not ours, not whole, of another server or principal, or too old.
    pub(super) fn open(&self, text: &str, now: SystemTime) -> Option<Opened> {
        if text.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, encrypted) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: encrypted,
            aad: &self.label,
        };
        let plain = self.cipher.decrypt(XNonce::from_slice(id), payload).ok()?;
        let sealed: Sealed = serde_json::from_slice(&plain).ok()?;
        let good = sealed.version == 1 && millis(now) < sealed.until;
        good.then(|| Opened {
            id: *id,
            until: UNIX_EPOCH + Duration::from_millis(sealed.until),
            sealed,
        })
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(folder: &tempfile::TempDir, name: &str) -> State {
        State::at(folder.path().join(name)).unwrap()
    }

    const ANN: [u8; 32] = [1; 32];
    const BOB: [u8; 32] = [2; 32];

    fn content() -> Sealed {
        Sealed {
            ordinal: 3,
            upstream: Some("theirs \u{0} \"".to_owned()),
            inputs: Some("{\"a\":1}".to_owned()),
            reports: Some(Carried("a proof".to_owned())),
            ..Sealed::new(Kind::Continued, "apr_1", "00ff", 2)
        }
    }

    #[test]
    fn what_was_sealed_opens_in_any_process_with_the_same_key_until_it_is_too_old() {
        let folder = tempfile::tempdir().unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let text = Sealer::new(&state(&folder, "a"), "files", &ANN)
            .seal(&content(), now)
            .unwrap();
        assert!(!text.contains("theirs") && !text.contains("apr_1"));
        assert!(!format!("{:?}", content()).contains("proof"));
        let other = Sealer::new(&state(&folder, "a"), "files", &ANN);
        let opened = other
            .open(&text, now + LIFE - Duration::from_millis(1))
            .unwrap();
        let expected = Sealed {
            until: millis(now + LIFE),
            ..content()
        };
        assert_eq!(opened.sealed, expected);
        assert_eq!(opened.until, now + LIFE);
        assert!(other.open(&text, now + LIFE).is_none(), "too old");
        let again = other.seal(&content(), now).unwrap();
        assert_ne!(text, again, "each has a nonce of its own");
        for (name, server, principal) in [
            ("a", "Files", ANN),
            ("a", "mail", ANN),
            ("b", "files", ANN),
            ("a", "files", BOB),
        ] {
            let foreign = Sealer::new(&state(&folder, name), server, &principal);
            assert!(
                foreign.open(&text, now).is_none(),
                "{name} {server} {principal:?}"
            );
        }
    }

    #[test]
    fn a_state_with_any_byte_changed_cut_or_added_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let sealer = Sealer::new(&state(&folder, "a"), "files", &ANN);
        let text = sealer.seal(&content(), now).unwrap();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(sealer.open(&changed, now).is_none(), "byte {at}");
            assert!(sealer.open(&text[..at], now).is_none(), "cut at {at}");
        }
        for odd in ["", "A", "-TAMPERED", "é", "{}", " "] {
            assert!(sealer.open(odd, now).is_none());
            assert!(sealer.open(&format!("{text}{odd}="), now).is_none());
        }
        assert!(sealer.open(&format!("{text}-TAMPERED"), now).is_none());
        assert!(sealer.open(&"A".repeat(LONGEST + 1), now).is_none());
    }

    #[test]
    fn what_a_host_could_not_carry_is_not_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(&state(&folder, "a"), "files", &ANN);
        let long = Sealed {
            upstream: Some("x".repeat(LONGEST)),
            ..content()
        };
        assert!(sealer.seal(&long, UNIX_EPOCH).is_none());
    }
}
