//! A layer for tower services.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sernixa::{Action, Client};
use tower_layer::Layer;
use tower_service::Service;

use crate::ended::Ended;

/// Asks for each request of a service before it is handed to it.
///
/// `action_of` makes the [`Action`] of a request; what of the request the approval shall be bound to
/// belongs into its [`arguments`](Action::arguments). A refusal is the service's error, made by
/// `From<sernixa::Error>`, or what [`refused_by`](Self::refused_by) makes of it, such as a 403.
///
/// A request that waits for its decision holds nothing of the service: the layer is always ready, and
/// readiness of the service is awaited after the approval, by a clone of its own. So backpressure
/// reaches the future of the call, not `poll_ready`; limits that shall count waiting requests belong
/// in front of this layer.
///
/// ```
/// use sernixa::{Action, Client, DataSensitivity, OperationClass, RiskLevel};
/// use sernixa_agents::tower::GovernLayer;
///
/// # fn main() -> Result<(), sernixa::Error> {
/// let client = Client::from_env()?;
/// let layer = GovernLayer::new(&client, |path: &String| {
///     Action::new("fetch")
///         .risk(RiskLevel::Low)
///         .class(OperationClass::Read)
///         .sensitivity(DataSensitivity::Internal)
///         .systems(["files"])
///         .arguments(vec![("path".into(), path.as_str().into())])
/// });
/// // …, then ServiceBuilder::new().layer(layer).service(files)
/// # let _ = layer;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct GovernLayer<A, R = ByFrom> {
    client: Client,
    action_of: Arc<A>,
    refused: Arc<R>,
}

/// Refusals become the service's error by `From<sernixa::Error>`.
#[derive(Clone, Copy, Debug)]
pub struct ByFrom(());

/// Refusals become what this closure makes of them.
pub struct By<F>(F);

/// What a refusal becomes: the service's error, or an answer of it.
pub trait Refused<T, E> {
    /// Turns a refusal into the result of the call.
    ///
    /// # Errors
    /// The service's error, where the refusal is one.
    fn refused(&self, refusal: sernixa::Error) -> Result<T, E>;
}

impl<T, E: From<sernixa::Error>> Refused<T, E> for ByFrom {
    fn refused(&self, refusal: sernixa::Error) -> Result<T, E> {
        Err(refusal.into())
    }
}

impl<T, E, F: Fn(sernixa::Error) -> Result<T, E>> Refused<T, E> for By<F> {
    fn refused(&self, refusal: sernixa::Error) -> Result<T, E> {
        (self.0)(refusal)
    }
}

impl<A> GovernLayer<A> {
    /// A layer that asks this client for what `action_of` makes of each request.
    pub fn new<Request>(client: &Client, action_of: A) -> Self
    where
        A: Fn(&Request) -> Action,
    {
        Self {
            client: client.clone(),
            action_of: Arc::new(action_of),
            refused: Arc::new(ByFrom(())),
        }
    }

    /// Makes the result of a refused call: for services whose error is not made of a
    /// [`sernixa::Error`], or whose refusals are answers.
    pub fn refused_by<F, T, E>(self, refused: F) -> GovernLayer<A, By<F>>
    where
        F: Fn(sernixa::Error) -> Result<T, E>,
    {
        GovernLayer {
            client: self.client,
            action_of: self.action_of,
            refused: Arc::new(By(refused)),
        }
    }
}

impl<A, R> Clone for GovernLayer<A, R> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            action_of: Arc::clone(&self.action_of),
            refused: Arc::clone(&self.refused),
        }
    }
}

impl<A, R> fmt::Debug for GovernLayer<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GovernLayer")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl<S, A, R> Layer<S> for GovernLayer<A, R> {
    type Service = Governed<S, A, R>;

    fn layer(&self, service: S) -> Self::Service {
        Governed {
            service,
            layer: self.clone(),
        }
    }
}

/// A service behind a gate. See [`GovernLayer`].
pub struct Governed<S, A, R = ByFrom> {
    service: S,
    layer: GovernLayer<A, R>,
}

impl<S: Clone, A, R> Clone for Governed<S, A, R> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S, A, R> fmt::Debug for Governed<S, A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governed")
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}

impl<S, A, R, Request> Service<Request> for Governed<S, A, R>
where
    S: Service<Request> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: 'static,
    S::Error: 'static,
    A: Fn(&Request) -> Action,
    R: Refused<S::Response, S::Error> + Send + Sync + 'static,
    Request: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    /// Always: whoever waits for a decision must hold no place in the service.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let action = (self.layer.action_of)(&request);
        let client = self.layer.client.clone();
        let refused = Arc::clone(&self.layer.refused);
        let mut service = self.service.clone();
        Box::pin(async move {
            let called = client.run_async(&action, async || {
                std::future::poll_fn(|context| service.poll_ready(context))
                    .await
                    .map_err(Ended::Failed)?;
                service.call(request).await.map_err(Ended::Failed)
            });
            called.await.or_else(|ended| match ended {
                Ended::Refused(refusal) => refused.refused(refusal),
                Ended::Failed(error) => Err(error),
            })
        })
    }
}
