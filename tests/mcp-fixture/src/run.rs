//! Carries out the steps of a tool.

#![expect(
    deprecated,
    reason = "the suite asks for sampling and logging, which later generations drop"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, CreateTaskResult,
    ErrorData, InputRequest, InputRequests, InputRequiredResult, InputResponses, JsonObject,
    LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::task_manager::{TaskContext, TaskExit, TaskOptions};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::catalogue::{Capability, Input, List, Note, Pause, Step, Task};
use crate::words::{fill, fill_text};
use crate::world::{World, lock};

/// A call under way.
#[derive(Clone)]
pub(crate) struct Run {
    world: Arc<World>,
    context: RequestContext<RoleServer>,
    /// The arguments, and what the steps learnt.
    known: JsonObject,
    given: InputResponses,
    /// The step whose input was last asked for, as the sealed state says.
    asked: Option<usize>,
    client: ClientCapabilities,
}

impl Run {
    /// Begins a call.
    pub(crate) fn new(
        world: Arc<World>,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<Self, ErrorData> {
        let asked = match request.request_state {
            Some(sealed) => Some(
                world
                    .states
                    .open_json(&sealed)
                    .map_err(|_| ErrorData::invalid_params("this state is not ours", None))?,
            ),
            None => None,
        };
        Ok(Self {
            known: request.arguments.unwrap_or_default(),
            given: request.input_responses.unwrap_or_default(),
            asked,
            client: context.client_capabilities().unwrap_or_default(),
            world,
            context,
        })
    }

    /// Carries out the steps up to the first that gives an answer.
    pub(crate) async fn steps(mut self, steps: Arc<[Step]>) -> Result<CallToolResponse, ErrorData> {
        let tasks = self.client.supports_tasks();
        let needs_tasks = |step: &Step| matches!(step, Step::Task(Task::Required));
        if !tasks && steps.iter().any(needs_tasks) {
            return Err(lacks(ClientCapabilities::builder().enable_tasks().build()));
        }
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Answer(answer) => return Ok(self.answer(answer)?.into()),
                Step::Input(input) => {
                    if let Some(needed) = self.input(number, input)? {
                        return Ok(needed.into());
                    }
                }
                Step::Task(_) if tasks => {
                    let manager = self.world.tasks.clone();
                    let task = manager.spawn(TaskOptions::default(), move |task| {
                        Box::pin(async move { self.rest_as_task(&steps, number + 1, &task).await })
                    });
                    return Ok(CreateTaskResult::new(task).into());
                }
                Step::Task(_) => {}
                step => self.act(step).await?,
            }
        }
        Err(unfinished())
    }

    async fn rest_as_task(
        &mut self,
        steps: &[Step],
        from: usize,
        task: &TaskContext,
    ) -> Result<CallToolResult, TaskExit> {
        for step in steps.iter().skip(from) {
            match step {
                Step::Answer(answer) => return Ok(self.answer(answer)?),
                Step::Input(input) => {
                    let asks = input.requests.iter().map(|(key, request)| async move {
                        let reply = task.request_input(key, request.clone()).await?;
                        Ok::<_, TaskExit>((key.clone(), reply))
                    });
                    self.known.extend(try_join_all(asks).await?);
                }
                step => tokio::select! {
                    () = task.cancelled() => return Err(TaskExit::Cancelled),
                    done = self.act(step) => done?,
                },
            }
        }
        Err(unfinished().into())
    }

    fn answer(&self, answer: &Value) -> Result<CallToolResult, ErrorData> {
        let mut result: CallToolResult = self.filled(answer)?;
        // The handler takes it away for older clients.
        result.result_type = CallToolResult::default().result_type;
        Ok(result)
    }

    /// What is still needed for the input of a step; `None` if it is here.
    fn input(
        &mut self,
        number: usize,
        input: &Input,
    ) -> Result<Option<InputRequiredResult>, ErrorData> {
        if self.asked.is_some_and(|asked| asked > number) {
            return Ok(None);
        }
        let mut requests = input.requests.clone();
        if input.offered {
            requests.retain(|_, request| offers(&self.client, request));
        }
        if (!input.sealed || self.asked == Some(number)) && self.learn(&requests) {
            return Ok(None);
        }
        let state = if input.sealed {
            Some(self.world.states.seal_json(&number).map_err(internal)?)
        } else {
            None
        };
        Ok(Some(InputRequiredResult::new(Some(requests), state)))
    }

    /// Takes the replies to all of these; a reply is an object.
    fn learn(&mut self, requests: &InputRequests) -> bool {
        let replies: Option<Vec<_>> = requests
            .keys()
            .map(|key| {
                let reply = self.given.get(key).filter(|reply| reply.is_object())?;
                Some((key.clone(), reply.clone()))
            })
            .collect();
        let complete = replies.is_some();
        self.known.extend(replies.into_iter().flatten());
        complete
    }

    /// A step that gives no answer by itself.
    async fn act(&mut self, step: &Step) -> Result<(), ErrorData> {
        match step {
            Step::Fail(text) => Err(ErrorData::internal_error(self.text(text), None)),
            Step::Log(text) => self.log(LoggingLevel::Info, text).await,
            Step::LogIfAsked(text) => match self.context.meta.log_level() {
                Some(level) => self.log(level, text).await,
                None => Ok(()),
            },
            Step::Progress(done) => self.progress(*done).await,
            Step::Pause(pause) => {
                tokio::time::sleep(self.pause(pause)).await;
                Ok(())
            }
            Step::Sample(params) => {
                let params = self.filled(params)?;
                let reply = self.context.peer.create_message(params).await;
                self.reply(reply)
            }
            Step::Elicit(params) => {
                let params = self.filled(params)?;
                let reply = self.context.peer.create_elicitation(params).await;
                self.reply(reply)
            }
            Step::Require(Capability::Sampling) if self.client.sampling.is_none() => Err(lacks(
                ClientCapabilities::builder().enable_sampling().build(),
            )),
            Step::Announce(list) => self.announce(*list).await,
            Step::Note(note) => {
                self.note(*note);
                Ok(())
            }
            Step::AwaitFile => self.await_file().await,
            Step::Redescribe => {
                *lock(&self.world.changing) = Some(self.text("{description}"));
                Ok(())
            }
            Step::Fill => {
                let bytes = self.known.get("bytes").and_then(Value::as_u64);
                let bytes = usize::try_from(bytes.unwrap_or_default()).map_err(internal)?;
                self.known.insert("filled".into(), "x".repeat(bytes).into());
                Ok(())
            }
            Step::Require(_) | Step::Answer(_) | Step::Input(_) | Step::Task(_) => Ok(()),
        }
    }

    async fn log(&self, level: LoggingLevel, text: &str) -> Result<(), ErrorData> {
        let line = LoggingMessageNotificationParam::new(level, json!(self.text(text)));
        let peer = &self.context.peer;
        peer.notify_logging_message(line).await.map_err(internal)
    }

    async fn progress(&self, done: f64) -> Result<(), ErrorData> {
        let Some(token) = self.context.meta.get_progress_token() else {
            return Ok(());
        };
        let progress = ProgressNotificationParam::new(token, done)
            .with_total(100.0)
            .with_message(format!("{done} of 100"));
        let peer = &self.context.peer;
        peer.notify_progress(progress).await.map_err(internal)
    }

    fn pause(&self, pause: &Pause) -> Duration {
        match pause {
            Pause::Milliseconds(milliseconds) => Duration::from_millis(*milliseconds),
            Pause::Seconds(argument) => self
                .known
                .get(argument)
                .and_then(Value::as_f64)
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .unwrap_or_default(),
        }
    }

    fn reply(
        &mut self,
        reply: Result<impl serde::Serialize, rmcp::ServiceError>,
    ) -> Result<(), ErrorData> {
        let reply = serde_json::to_value(reply.map_err(internal)?).map_err(internal)?;
        self.known.insert("reply".into(), reply);
        Ok(())
    }

    /// Subscribers are told on their own streams; a client of before subscriptions on this session.
    async fn announce(&self, list: List) -> Result<(), ErrorData> {
        let subscriptions = lock(&self.world.subscriptions).clone();
        for subscription in subscriptions {
            // Whoever left, or did not ask for this list, is no fault of the caller's.
            let _ = match list {
                List::Tools => subscription.notify_tool_list_changed().await,
                List::Prompts => subscription.notify_prompt_list_changed().await,
            };
        }
        let peer = &self.context.peer;
        match (self.context.protocol_version(), list) {
            (Some(version), _) if version >= ProtocolVersion::V_2026_07_28 => Ok(()),
            (_, List::Tools) => peer.notify_tool_list_changed().await.map_err(internal),
            (_, List::Prompts) => peer.notify_prompt_list_changed().await.map_err(internal),
        }
    }

    fn note(&mut self, note: Note) {
        let name = self.text("{name}");
        let mut notes = lock(&self.world.notes);
        let found = match note {
            Note::Read => notes.get(&name).cloned(),
            Note::Write => notes
                .insert(name.clone(), self.text("{text}"))
                .or(Some(String::new())),
            Note::Delete => notes.remove(&name),
        };
        drop(notes);
        let text = found.unwrap_or_else(|| format!("there was no note {name}"));
        self.known.insert("note".into(), text.into());
    }

    async fn await_file(&self) -> Result<(), ErrorData> {
        let file = self.text("{file}");
        while !Path::new(&file).exists() {
            tokio::select! {
                () = self.context.ct.cancelled() => return Err(internal("cancelled")),
                () = tokio::time::sleep(Duration::from_millis(10)) => {}
            }
        }
        Ok(())
    }

    fn text(&self, text: &str) -> String {
        fill_text(text, &self.known)
    }

    fn filled<T: DeserializeOwned>(&self, value: &Value) -> Result<T, ErrorData> {
        serde_json::from_value(fill(value, &self.known)).map_err(internal)
    }
}

fn offers(client: &ClientCapabilities, request: &InputRequest) -> bool {
    match request {
        InputRequest::Elicitation(_) => client.elicitation.is_some(),
        InputRequest::CreateMessage(_) => client.sampling.is_some(),
        InputRequest::ListRoots(_) => client.roots.is_some(),
        _ => false,
    }
}

fn lacks(capabilities: ClientCapabilities) -> ErrorData {
    ErrorData::missing_required_client_capability(capabilities)
}

fn unfinished() -> ErrorData {
    internal("the tool's steps end without an answer")
}

fn internal(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}
