//! What a call comes back with: a state that the proxy sealed, and answers to questions.

use std::time::SystemTime;

use sernixa_protocol::json::Document;

use super::Core;
use super::answer::QUESTION;
use super::call::{Call, Inputs, object};
use super::seal::{Kind, Opened, Sealed};

/// A call that comes with a sealed state, or without.
#[derive(Debug, Default)]
pub(super) struct Retry {
    pub(super) sealed: Option<Sealed>,
    /// The answers to the server's questions, ours taken out.
    pub(super) inputs: Option<Inputs>,
    /// The user did not want to open the console.
    pub(super) declined: bool,
}

impl Core {
    /// What a call comes back with. Its state is spent here.
    ///
    /// # Errors
    /// For a state that is not of this proxy and this call, or was used before: nothing is forwarded.
    pub(super) fn retry(&self, call: &Call) -> Result<Retry, &'static str> {
        const FAULT: &str = "`params.requestState` is not valid for this call: it was changed, belongs \
                             to another call, is too old or was used before; call without it";
        let now = SystemTime::now();
        let Some(text) = &call.state else {
            return Ok(Retry {
                inputs: call.inputs.clone(),
                ..Retry::default()
            });
        };
        let opened: Opened = self.sealer.open(text, now).ok_or(FAULT)?;
        if opened.sealed.call != self.call_digest(call) {
            return Err(FAULT);
        }
        let (answer, mut inputs) = match &call.inputs {
            Some(inputs) => own_answer(inputs).ok_or("`params.inputResponses` cannot be read")?,
            None => (None, None),
        };
        if opened.sealed.kind == Kind::Asked {
            // What the server is to be told was asked about; it cannot become something else now.
            let about = opened.sealed.inputs.clone();
            let about = about
                .map(|raw| Inputs::of_text(raw).ok_or(FAULT))
                .transpose()?;
            let same = match (&inputs, &about) {
                (Some(given), Some(about)) => given.canonical == about.canonical,
                // A host answers what it was asked last, and that was not this.
                (given, _) => given.is_none(),
            };
            if !same {
                return Err("`params.inputResponses` are not those that approval was asked for");
            }
            inputs = about;
        }
        match self.settings.state.spend(&opened.id, opened.until, now) {
            Ok(true) => {}
            Ok(false) => return Err(FAULT),
            Err(error) => {
                tracing::error!(server = self.server(), %error, "a sealed state was not spent");
                return Err("the proxy cannot keep its state; tell its operator");
            }
        }
        Ok(Retry {
            sealed: Some(opened.sealed),
            inputs,
            declined: answer.is_some_and(|action| action != "accept"),
        })
    }
}

/// The answer to our own question, and the answers to the server's. `None` where they cannot be read.
fn own_answer(inputs: &Inputs) -> Option<(Option<String>, Option<Inputs>)> {
    let document = Document::parse(&inputs.raw).ok()?;
    let all = document.root();
    if all.get(QUESTION).is_none() {
        return Some((None, Some(inputs.clone())));
    }
    let own = all.get(QUESTION).map(|answer| {
        let action = answer
            .get("action")
            .and_then(|action| Some(action.as_str()?.into_owned()));
        action.unwrap_or_default()
    });
    let rest: Vec<_> = all.members().filter(|(key, _)| !key.is(QUESTION)).collect();
    if rest.is_empty() {
        return Some((own, None));
    }
    Some((own, Some(Inputs::of_text(object(rest))?)))
}
