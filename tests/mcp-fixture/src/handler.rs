//! The server as rmcp sees it.

#![expect(
    deprecated,
    reason = "the suite asks for logging, which later generations drop"
)]

use rmcp::ServerHandler;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams,
    CompleteResult, CompletionInfo, ErrorData, GetPromptRequestParams, GetPromptResponse,
    GetPromptResult, GetTaskParams, GetTaskResult, Implementation, InputRequiredResult, JsonObject,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
    SubscriptionFilter, Tool, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext};
use serde_json::{Value, json};

use crate::Fixture;
use crate::run::Run;
use crate::words::fill;
use crate::world::lock;

/// How long lists and resources may be kept, in milliseconds.
const FRESH: u64 = 60_000;

type Context = RequestContext<RoleServer>;

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_logging()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_tasks()
            .enable_tools()
            .enable_tool_list_changed()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("sernixa-mcp-fixture", "0.1.0"))
            .with_instructions("A server for tests.")
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        Some(self.0.catalogue.tool(name)?.tool.clone())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.0.tools())
            .with_ttl_ms(FRESH)
            .with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: Context,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(journal) = &self.0.journal {
            let line = json!({
                "tool": request.name,
                "arguments": request.arguments,
                "request": context.id,
                "retry": request.input_responses.is_some() || request.request_state.is_some(),
                "process": std::process::id(),
            });
            let written = journal.add(&line);
            written.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        }
        let Some(entry) = self.0.catalogue.tool(&request.name) else {
            let text = format!("Unknown tool: {}", request.name);
            return Err(ErrorData::invalid_params(text, None));
        };
        let steps = entry.steps.clone();
        Run::new(self.0.clone(), request, context)?
            .steps(steps)
            .await
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources = self.0.catalogue.resources.listed.clone();
        Ok(ListResourcesResult::with_all_items(resources)
            .with_ttl_ms(FRESH)
            .with_cache_scope(CacheScope::Public))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = self.0.catalogue.resources.templates.clone();
        Ok(ListResourceTemplatesResult::with_all_items(templates)
            .with_ttl_ms(FRESH)
            .with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let Some(contents) = self.resource(&request.uri) else {
            let data = json!({ "uri": request.uri });
            return Err(ErrorData::resource_not_found(
                "no such resource",
                Some(data),
            ));
        };
        let contents = serde_json::from_value(contents)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(ReadResourceResult::new(vec![contents])
            .with_ttl_ms(FRESH)
            .with_cache_scope(CacheScope::Public)
            .into())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let entries = &self.0.catalogue.prompts;
        let prompts = entries.iter().map(|entry| entry.prompt.clone()).collect();
        Ok(ListPromptsResult::with_all_items(prompts)
            .with_ttl_ms(FRESH)
            .with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let mut entries = self.0.catalogue.prompts.iter();
        let Some(entry) = entries.find(|entry| entry.prompt.name == request.name) else {
            let text = format!("Unknown prompt: {}", request.name);
            return Err(ErrorData::invalid_params(text, None));
        };
        let mut known = request.arguments.unwrap_or_default();
        if let Some(needs) = &entry.needs {
            let given = request.input_responses.unwrap_or_default();
            if !needs
                .keys()
                .all(|key| given.get(key).is_some_and(Value::is_object))
            {
                return Ok(InputRequiredResult::from_input_requests(needs.clone()).into());
            }
            known.extend(given);
        }
        let messages = serde_json::from_value(fill(&entry.messages, &known))
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(GetPromptResult::new(messages).into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: Context,
    ) -> Result<CompleteResult, ErrorData> {
        let typed = request.argument.value;
        let values = ["paris", "park", "party"].into_iter();
        let values = values
            .filter(|value| value.starts_with(&typed))
            .map(Into::into);
        let completion = CompletionInfo::new(values.collect())
            .map_err(|error| ErrorData::internal_error(error, None))?;
        Ok(CompleteResult::new(completion))
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let id = context.sink().id().clone();
        lock(&self.0.subscriptions).push(context.sink().clone());
        context.cancelled().await;
        lock(&self.0.subscriptions).retain(|sink| *sink.id() != id);
        Ok(())
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: Context,
    ) -> Result<GetTaskResult, ErrorData> {
        Ok(GetTaskResult::new(self.0.tasks.get_task(&request.task_id)?))
    }

    async fn update_task(&self, request: UpdateTaskParams, _: Context) -> Result<(), ErrorData> {
        let tasks = &self.0.tasks;
        tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(&self, request: CancelTaskParams, _: Context) -> Result<(), ErrorData> {
        self.0.tasks.cancel_task(&request.task_id)
    }
}

impl Fixture {
    /// What is in a resource, with its address.
    fn resource(&self, uri: &str) -> Option<Value> {
        let resources = &self.0.catalogue.resources;
        let mut known = JsonObject::new();
        let found = resources.contents.get(uri).or_else(|| {
            resources.contents.iter().find_map(|(template, contents)| {
                let (before, after) = template.split_once("{id}")?;
                let id = uri.strip_prefix(before)?.strip_suffix(after)?;
                known.insert("id".into(), id.into());
                Some(contents)
            })
        })?;
        let mut contents = fill(found, &known);
        contents.as_object_mut()?.insert("uri".into(), uri.into());
        Some(contents)
    }
}
