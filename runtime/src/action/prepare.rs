//! Preparing a submission: everything that is known on the caller's thread becomes one text.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use sernixa_protocol::canonical::{self, CanonicalError};
use sernixa_protocol::submission::{BuildError, Draft, Fields, Stamp, Template};

use super::Action;
use super::arguments::Arguments;
use super::submission::{Prepared, Submission};
use crate::capture::{Json, VALUE_LIMIT};
use crate::client::Client;
use crate::config::Settings;
use crate::delegation::{Delegation, Signer};
use crate::digest::{Digest, digest, resume_key};
use crate::error::{Error, Refusal};
use crate::logging::event;
use crate::random::two_ids;
use crate::support::{Call, Kind};
use crate::transport::Endpoint;

/// What the digest calls the function itself: no parameter is called so.
const INSTANCE: &str = "<>";

/// Who is asked: the `TestGate` in scope, the client given, the global one.
///
/// # Errors
/// `Configuration` when the global client cannot be built.
pub(crate) fn choose_client(given: Option<&Client>) -> Result<Client, Error> {
    #[cfg(feature = "testing")]
    if let Some(client) = crate::testing::client_in_scope() {
        return client;
    }
    match given {
        Some(client) => Ok(client.clone()),
        None => crate::global::client().cloned(),
    }
}

/// Prepares a call of a governed function.
///
/// # Errors
/// `Configuration`, `Validation`, or `Blocked` by DLP; nothing was sent.
pub(crate) fn prepare_call(call: &Call<'_>) -> Result<Prepared, Error> {
    let client = choose_client(call.client)?;
    let settings = client.settings();
    let template = call.site.template()?;
    let capture = call.capture.unwrap_or(settings.capture_arguments);
    let arguments = digest_of_call(settings, call);
    let captured = if capture {
        Some(captured_arguments(call, &arguments)?)
    } else {
        None
    };
    let metadata = attribute_metadata(call)?;
    let summary = call.summary.map(|summary| summary());
    let resume = match call.resume_key {
        Some(key) => resumable(settings, key, Some(&arguments), call.site.warned())?,
        None => None,
    };
    let parts = Parts {
        template,
        captured: captured.as_deref(),
        metadata: metadata.as_deref(),
        summary: summary.as_deref(),
        resume_key: resume.as_deref(),
        arguments: Some(&arguments),
    };
    seal(client.clone(), &parts)
}

/// Prepares a call of an [`Action`].
///
/// # Errors
/// `Configuration`, `Validation`, or `Blocked` by DLP; nothing was sent.
pub(crate) fn prepare(action: &Action, client: &Client) -> Result<Prepared, Error> {
    static WARNED: AtomicBool = AtomicBool::new(false);

    let client = choose_client(Some(client))?;
    let settings = client.settings();
    let template = action_template(action)?;
    let capture = action.capture.unwrap_or(settings.capture_arguments);
    let captured = match &action.arguments {
        Some(arguments) if capture => Some(arguments.captured()?),
        _ => None,
    };
    let metadata = action_metadata(action)?;
    let arguments = action
        .arguments
        .as_ref()
        .map(|arguments| arguments.digest(&settings.binding));
    let resume = match &action.resume_key {
        Some(key) => resumable(settings, key, arguments.as_ref(), &WARNED)?,
        None => None,
    };
    let parts = Parts {
        template: &template,
        captured: captured.as_deref(),
        metadata: metadata.as_deref(),
        summary: action.summary.as_deref(),
        resume_key: resume.as_deref(),
        arguments: arguments.as_ref(),
    };
    Ok(Prepared {
        patience: action.patience,
        ..seal(client.clone(), &parts)?
    })
}

/// What attribute and action have in common when it comes to sending.
struct Parts<'a> {
    template: &'a Template,
    captured: Option<&'a str>,
    metadata: Option<&'a str>,
    summary: Option<&'a str>,
    resume_key: Option<&'a str>,
    arguments: Option<&'a Digest>,
}

/// Builds, stamps and signs.
fn seal(client: Client, parts: &Parts<'_>) -> Result<Prepared, Error> {
    let settings = client.settings();
    let signer = signer(settings)?;
    let unbound: Vec<&str> = parts
        .arguments
        .map(|digest| digest.unbound.iter().map(String::as_str).collect())
        .unwrap_or_default();
    let draft = Draft {
        captured: parts.captured,
        metadata: parts.metadata,
        summary: parts.summary,
        resume_key: parts.resume_key,
        arguments_digest: parts.arguments.map(|digest| digest.text.as_str()),
        arguments_unbound: &unbound,
    };
    let built = parts
        .template
        .build(&draft, settings.dlp_mode, &settings.detectors)
        .map_err(build_fault)?;
    let (request_id, nonce) = two_ids()?;
    let seconds = settings.clock.unix_millis() / 1000;
    let stamp = Stamp {
        request_id: &request_id,
        timestamp: i64::try_from(seconds).unwrap_or(i64::MAX),
        nonce: &nonce,
    };
    let signing = signer.as_ref().map(Signer::signing);
    let body = built.seal(&stamp, signing.as_ref());
    let submission = Submission {
        body,
        body_hash: built.body_hash().to_owned(),
        request_id,
        intent_id: built.intent_id().to_owned(),
        action_id: built.action_id().to_owned(),
        risk_level: built.risk_level(),
        resumable: parts.resume_key.is_some(),
    };
    Ok(Prepared {
        captures: parts.captured.is_some(),
        endpoint: Endpoint::Submit,
        submission,
        client,
        signer,
        patience: None,
    })
}

/// Who signs for a call that is made here.
///
/// # Errors
/// `Configuration` where a delegation is needed and there is none, or it cannot sign.
pub(crate) fn signer(settings: &Settings) -> Result<Option<Signer>, Error> {
    match Delegation::current() {
        Some(delegation) => Signer::new(delegation, settings).map(Some),
        None if settings.require_delegation => Err(Error::configuration(
            "this client asks only within a delegation scope, and there is none here; enter one \
             with Delegation::run, and take it across spawn with Delegation::carry",
        )),
        None => Ok(None),
    }
}

fn digest_of_call(settings: &Settings, call: &Call<'_>) -> Digest {
    // `purge::<Staging>` and `purge::<Production>` are submitted under one name, and so are the
    // methods of one name that two traits give a type: what was approved of one is no approval of
    // the other. Last, so that the arguments keep their places.
    let instance = call.instance.contains('<').then_some(call.instance);
    let instance = instance.as_ref().map(|name| (INSTANCE, Some(name as _)));
    let listed: Vec<(&str, Option<&dyn Json>)> = call
        .arguments
        .iter()
        .filter_map(|argument| match argument.kind {
            Kind::Value(captured) => Some((argument.name, captured.json())),
            Kind::Skipped => Some((argument.name, None)),
            Kind::Handle => None,
        })
        .chain(instance)
        .collect();
    digest(&settings.binding, &listed)
}

/// The arguments as a JSON array, in order of declaration; what is not shown keeps its place.
fn captured_arguments(call: &Call<'_>, digest: &Digest) -> Result<String, Error> {
    let mut text = String::from("[");
    // Handles have no place in the digest's list.
    let mut place = 0;
    for (index, argument) in call.arguments.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match argument.kind {
            Kind::Value(captured) => match digest.value(place) {
                Some(written) => text.push_str(written),
                None => captured.show(&mut text).map_err(|fault| {
                    let what = format!("the captured argument `{}`", argument.name);
                    value_fault(&what, &fault)
                })?,
            },
            Kind::Skipped => text.push_str("\"<skipped>\""),
            Kind::Handle => {
                text.push_str("\"<handle>\"");
                continue;
            }
        }
        place += 1;
    }
    text.push(']');
    Ok(text)
}

fn attribute_metadata(call: &Call<'_>) -> Result<Option<String>, Error> {
    if call.metadata.is_empty() {
        return Ok(None);
    }
    let mut text = String::with_capacity(call.metadata.len() * 32);
    for (name, value) in call.metadata {
        open_member(&mut text, name)?;
        value
            .append_json(&mut text)
            .map_err(|fault| value_fault(&format!("metadata `{name}`"), &fault))?;
    }
    text.push('}');
    Ok(Some(text))
}

pub(super) fn action_metadata(action: &Action) -> Result<Option<String>, Error> {
    if action.metadata.is_empty() {
        return Ok(None);
    }
    let mut text = String::with_capacity(action.metadata.len() * 32);
    for (index, (name, value)) in action.metadata.iter().enumerate() {
        open_member(&mut text, name)?;
        match value {
            Ok(value) => text.push_str(value),
            // Names of an action may be data; the attribute's are the developer's own words.
            Err(fault) => {
                return Err(value_fault(
                    &format!("metadata member {}", index + 1),
                    fault,
                ));
            }
        }
    }
    text.push('}');
    Ok(Some(text))
}

fn open_member(text: &mut String, name: &str) -> Result<(), Error> {
    text.push(if text.is_empty() { '{' } else { ',' });
    canonical::append(name, VALUE_LIMIT, text)
        .map_err(|fault| value_fault("a metadata name", &fault))?;
    text.push(':');
    Ok(())
}

/// The hashed resume key; `None` for a call that cannot resume, after one warning. Such a key is
/// not sent: it would only keep the request from being withdrawn.
fn resumable(
    settings: &Settings,
    key: &dyn fmt::Display,
    arguments: Option<&Digest>,
    warned: &AtomicBool,
) -> Result<Option<String>, Error> {
    if !settings.binding.lasts() {
        return Err(Error::configuration(
            "a resume key needs digests that outlive the process; set SERNIXA_BINDING_KEY to at \
             least 16 bytes",
        ));
    }
    if arguments.is_none_or(|digest| !digest.unbound.is_empty()) {
        if !warned.swap(true, Ordering::Relaxed) {
            event!(
                settings.log,
                WARN,
                "a call with a resume key cannot resume: not all of its arguments are digested"
            );
        }
        return Ok(None);
    }
    let key = key.to_string();
    if key.trim().is_empty() {
        return Err(Error::validation("the resume key is blank"));
    }
    Ok(Some(resume_key(&key)))
}

pub(super) fn action_template(action: &Action) -> Result<Template, Error> {
    if let Some(template) = action.template.get() {
        return Ok(template.clone());
    }
    let missing = |field: &str, method: &str| {
        Error::validation(format!("{field} is missing; give it with Action::{method}"))
    };
    let risk_level = action.risk.ok_or_else(|| missing("risk_level", "risk"))?;
    let class = action.class.as_ref();
    let class = class.ok_or_else(|| missing("operation_class", "class"))?;
    let sensitivity = action.sensitivity.as_ref();
    let sensitivity = sensitivity.ok_or_else(|| missing("data_sensitivity", "sensitivity"))?;
    let systems: Vec<&str> = action.systems.iter().map(String::as_str).collect();
    let arguments = action.arguments.as_ref();
    arguments.map_or(Ok(()), Arguments::check)?;
    let given = action.id.as_deref();
    let fields = Fields {
        intent_id: &action.intent_id,
        action_id: given.or(action.function.is_none().then_some(&*action.intent_id)),
        risk_level,
        operation_class: class.as_str(),
        data_sensitivity: sensitivity.as_str(),
        systems_touched: &systems,
        function: action
            .function
            .as_deref()
            .or(given)
            .unwrap_or(&action.intent_id),
        module: action.module.as_deref().unwrap_or_default(),
        args_count: u32::try_from(arguments.map_or(0, Arguments::count)).unwrap_or(u32::MAX),
    };
    let template = Template::new(&fields)
        .and_then(|template| fields.refuse_secrets().map(|()| template))
        .map_err(build_fault)?;
    Ok(action.template.get_or_init(|| template).clone())
}

/// A value that has no JSON form, or too long a one. Never quotes it, nor what its type says.
pub(crate) fn value_fault(what: &str, fault: &CanonicalError) -> Error {
    let rule = match fault {
        CanonicalError::NotFinite => "holds NaN or an infinity, which JSON cannot say",
        CanonicalError::KeyKind => "holds a map whose keys are neither texts nor numbers",
        CanonicalError::DuplicateKey => "holds two members with the same name",
        CanonicalError::TooDeep => "is nested more than 64 levels deep",
        CanonicalError::TooLarge => "is longer than 256 KiB",
        CanonicalError::RawJson => "holds raw JSON that is not strict JSON",
        _ => "cannot be serialised",
    };
    Error::validation(format!("{what} {rule}"))
}

/// Why nothing was built.
pub(crate) fn build_fault(error: BuildError) -> Error {
    let BuildError::Blocked(findings) = error else {
        return Error::validation(error.to_string());
    };
    let found: Vec<_> = findings
        .iter()
        .map(sernixa_protocol::dlp::Finding::to_value)
        .collect();
    let message = "the metadata holds what looks like a secret, and DLP blocks; nothing was sent";
    Error::Blocked(
        Refusal::new(message)
            .because(Some("sdk_dlp_blocked"))
            .with_evidence(serde_json::json!({ "findings": found }))
            .boxed(),
    )
}
