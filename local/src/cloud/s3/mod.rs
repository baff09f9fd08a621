//! S3: the template's buckets, with the operations that the shop uses, and presigned URLs.
//!
//! `s3s` reads the requests and writes the answers; what is done is here. Signatures are not its business: a caller
//! of this process is known, and a presigned URL is checked by the cloud's own clock ([`presigned`]). Nothing expires:
//! a bucket's rules of life are the template's, for AWS.

mod presigned;
mod request;
mod service;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use aws_types::region::Region;
use bytes::Bytes;
use http::request::Parts;
use http_body_util::BodyExt;
use s3s::Body;
use s3s::service::{S3Service, S3ServiceBuilder};

pub(crate) use presigned::is_presigned;
pub(super) use request::Request;

use super::clock::Clock;
use super::random::Random;
use super::{AwsError, CloudError};
use crate::template::Template;
use service::Operations;
use store::Store;

/// Where callers in this process find the services, and where presigned URLs point to, unless there is a front door.
pub(super) const ENDPOINT: &str = "http://aws.localhost";

/// What a service answers: S3 in headers too.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

/// What a service answers that says all in its body.
impl From<Vec<u8>> for Answer {
    fn from(body: Vec<u8>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into() }
    }
}

/// The service.
pub(super) struct S3 {
    service: S3Service,
    store: Arc<Store>,
    /// The one for which presigned URLs are signed.
    region: Region,
    clock: Clock,
    /// The secret key of all callers. Their names are their access keys.
    secret: String,
}

impl S3 {
    pub(super) fn open(
        folder: Option<&Path>,
        template: &Template,
        region: &Region,
        clock: &Clock,
        random: &Random,
    ) -> Result<Self, CloudError> {
        let store = Arc::new(Store::open(folder)?);
        let operations = Operations {
            buckets: template.buckets.values().map(|bucket| bucket.name.clone()).collect(),
            store: Arc::clone(&store),
            clock: clock.clone(),
        };
        let service = S3ServiceBuilder::new(operations).build();
        Ok(Self { service, store, region: region.clone(), clock: clock.clone(), secret: random.hex() })
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// The caller whose presigned URL a request has.
    pub(super) fn signer(&self, request: &Parts) -> Result<String, AwsError> {
        presigned::signer(request, self.region.as_ref(), &self.secret, self.clock.now())
    }

    pub(super) async fn call(&self, request: Request) -> Result<Answer, AwsError> {
        let method = request.http.method().clone();
        let failed = |error: &dyn fmt::Debug| {
            tracing::error!(?error, "S3 could not answer");
            AwsError::service("InternalError", "the request could not be answered")
        };
        let answer = self.service.call(request.http.map(Body::from)).await;
        let (parts, body) = answer.map_err(|error| failed(&error))?.into_parts();
        let body = body.collect().await.map_err(|error| failed(&error))?.to_bytes();
        let status = parts.status.as_u16();
        if status >= 400 {
            let text = String::from_utf8_lossy(&body);
            // A HEAD's refusal has no body to say it.
            let code =
                element(&text, "Code").unwrap_or(if status == 404 { "NotFound" } else { "BadRequest" });
            let message = element(&text, "Message").unwrap_or_default();
            let mut error = AwsError::client(code, message).with_status(status);
            error.body = Some(if method == http::Method::HEAD { Vec::new() } else { body.to_vec() });
            return Err(error);
        }
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Ok(Answer { status, headers: parts.headers.iter().filter_map(header).collect(), body })
    }

    pub(super) fn checkpoint(&self) -> Result<(), CloudError> {
        self.store.checkpoint().map_err(|error| CloudError::state("objects.sqlite", error))
    }
}

/// The text of the first element of a name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// The body of a refusal that does not come of `s3s`: of a fault, or of a permission that is not there.
pub(super) fn error_body(error: &AwsError) -> Vec<u8> {
    if let Some(body) = &error.body {
        return body.clone();
    }
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (code, message) = (escape(&error.code), escape(&error.message));
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>")
        .into_bytes()
}
