//! The embedded cloud: runs a template's functions in this process, over AWS services played in it.
//!
//! The template is the only wiring: what it does not connect does not run. Functions use real SDK clients,
//! whose HTTP connector ends here. Time and randomness come from one place, so that a seed governs a
//! whole run ([`Mode::Simulated`]).

mod batch;
mod clock;
mod connector;
mod core;
mod dispatch;
mod dynamodb;
mod edge;
mod environment;
mod error;
mod http_api;
mod interceptor;
mod lambda;
mod mapping_sqs;
mod mapping_stream;
mod meter;
mod observer;
mod options;
mod policies;
mod random;
mod respond;
mod running;
mod s3;
mod schedules;
mod secrets;
mod ses;
mod sns;
mod sqs;
mod start;
mod stream_batch;
mod stream_failure;
mod trace;
mod xml;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_types::SdkConfig;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::value::RawValue;
use shop_lambda::Function;

pub use edge::{EFFECTIVE_WITHIN, ordered_query};
pub use error::{AwsError, CloudError, InvokeError};
pub use http_api::Route;
pub use interceptor::{Fault, Interceptor};
pub use meter::{Counts, Entry, Invocations, Meter};
pub use observer::{
    Access, Answered, Call, Delivery, Invoked, Observer, Outcome, Service, Step, Units, Written,
};
pub use options::{Mode, Options};
pub(crate) use s3::is_presigned;
pub use ses::{MailAccount, SentMail};
pub use start::simulated_runtime;
pub use trace::Trace;

use self::core::Core;
use self::edge::Origin as _;
use self::environment::Place;
use crate::template::Template;
use http_api::Routes;
use lambda::Lambda;
use running::Running;

/// How many messages a queue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Ready to be received.
    pub visible: usize,
    /// Received and not deleted.
    pub in_flight: usize,
    /// Sent, and held back for a time.
    pub delayed: usize,
}

/// The running cloud. Clones share it; it ends when the last one is dropped, or by [`Cloud::stop`].
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    lambda: Arc<Lambda>,
    routes: Routes,
    running: Running,
    /// The physical id of every resource, by its logical id.
    physical: BTreeMap<String, String>,
    /// The physical name of every queue, by its logical id.
    queues: BTreeMap<String, String>,
    /// The physical names of the queues that a function consumes.
    consumed: Vec<String>,
}

/// The HTTP API, as the edge asks it.
struct Api<'a> {
    routes: &'a Routes,
    core: &'a Core,
    lambda: &'a Lambda,
}

impl edge::Origin for Api<'_> {
    fn answer<'a>(
        &'a self,
        request: http::Request<Bytes>,
        source: &'a str,
    ) -> BoxFuture<'a, http::Response<Bytes>> {
        Box::pin(self.routes.answer(self.core, self.lambda, request, source))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Cloud {
    /// Creates what is missing, takes up what is unfinished, and starts every event source of the template.
    ///
    /// A folder belongs to one cloud at a time: the caller must see to that.
    ///
    /// # Errors
    /// When the template names a function that is not among `functions`, or the state cannot be used.
    #[expect(clippy::unused_async, reason = "it starts tasks, so it must be called where tasks can run")]
    pub async fn start(
        template: &Template,
        functions: &[Function],
        options: Options,
    ) -> Result<Self, CloudError> {
        start::start(template, functions, options)
    }

    /// Answers one request as the HTTP API of the template does, behind its distribution if it has one.
    pub async fn invoke_http(&self, request: http::Request<Bytes>, source_ip: &str) -> http::Response<Bytes> {
        let Inner { core, lambda, routes, .. } = &*self.0;
        let api = Api { routes, core, lambda };
        match &core.edge {
            Some(edge) => Box::pin(edge.answer(&api, request, source_ip)).await,
            None => api.answer(request, source_ip).await,
        }
    }

    /// Answers a request that comes with a presigned URL of S3, as its signer's.
    ///
    /// # Errors
    /// When no answer is to come, as where the interceptor has the connection lost.
    pub async fn invoke_presigned(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, ConnectorError> {
        self.0.core.presigned(request).await
    }

    /// The routes of the HTTP API, in the order of their paths.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        self.0.routes.all()
    }

    /// Settings for the AWS clients of a caller that is no function of the template.
    #[must_use]
    pub fn sdk_config(&self, caller: &str) -> SdkConfig {
        connector::sdk_config(&self.0.core, Place::outside(caller))
    }

    /// Answers a call of AWS that comes by another way than the clients of [`Cloud::sdk_config`]: over a socket.
    ///
    /// # Errors
    /// When no answer is to come, or the request is for no service that is emulated.
    pub async fn answer_aws(
        &self,
        caller: &str,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        self.0.core.call(&Place::outside(caller), &request).await
    }

    /// Settings for the AWS clients of a caller that has taken a role of the template, by its logical id.
    #[must_use]
    pub fn assume_role(&self, role: &str, caller: &str) -> Option<SdkConfig> {
        let role = Some(self.0.core.policies.role(role)?);
        Some(connector::sdk_config(&self.0.core, Place { role, ..Place::outside(caller) }))
    }

    /// What `Ref` gives for a logical id: the name of a table, a bucket or a configuration set, a queue's URL, a topic's or a
    /// secret's ARN.
    #[must_use]
    pub fn physical(&self, logical_id: &str) -> Option<&str> {
        self.0.physical.get(logical_id).map(String::as_str)
    }

    /// Invokes a function by its one name, as `create-order`, and waits for its answer.
    ///
    /// # Errors
    /// When there is no such function, or it fails, crashes or takes too long.
    pub async fn invoke(&self, function: &str, payload: Box<RawValue>) -> Result<Box<RawValue>, InvokeError> {
        self.0.lambda.invoke(function, payload).await
    }

    /// The counts of everything since the start.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.0.core.counter.snapshot()
    }

    /// The depth of every queue, by logical id.
    #[must_use]
    pub fn queues(&self) -> BTreeMap<String, Depth> {
        let queues = self.0.queues.iter();
        queues.map(|(id, name)| (id.clone(), self.0.core.queues.depth(name))).collect()
    }

    /// The messages that SES has taken, the newest last: the last few hundred of them since the start.
    #[must_use]
    pub fn mailbox(&self) -> Vec<SentMail> {
        self.0.core.ses.kept()
    }

    /// Returns when nothing is under way: every stream is drained, every queue that a function consumes is
    /// empty, and no invocation runs. It waits for as long as a message is retried.
    pub async fn settled(&self) {
        loop {
            let changed = self.0.core.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.is_settled() {
                return;
            }
            changed.await;
        }
    }

    fn is_settled(&self) -> bool {
        let Inner { core, running, consumed, .. } = &*self.0;
        running.is_idle()
            && consumed.iter().all(|queue| core.queues.is_empty(queue))
            && core.dynamodb.streams_are_drained().unwrap_or(false)
    }

    /// Stops: takes no new work, waits for what runs, and leaves the rest to the next start.
    pub async fn stop(self) {
        self.0.running.stop().await;
        let core = &self.0.core;
        for done in [core.dynamodb.checkpoint(), core.queues.checkpoint(), core.s3.checkpoint()] {
            if let Err(error) = done {
                // Nothing is lost: the next start reads the log of the file.
                tracing::warn!(error = %shop_lambda::log::Chain(&error), "a log was left for the next start");
            }
        }
    }
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloud").field("physical", &self.0.physical).finish_non_exhaustive()
    }
}
