//! The embedded cloud as a backend: its HTTP API, called in this process.

use std::net::IpAddr;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::value::RawValue;

use super::backend::{Backend, BackendError};
use crate::cloud::{Cloud, InvokeError, SentMail};

impl Backend for Cloud {
    fn call(
        &self,
        request: Request<Bytes>,
        source: IpAddr,
    ) -> BoxFuture<'_, Result<Response<Bytes>, BackendError>> {
        Box::pin(async move { Ok(self.invoke_http(request, &source.to_string()).await) })
    }

    fn presigned(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Option<Response<Bytes>>, BackendError>> {
        Box::pin(async move {
            let answer = self.invoke_presigned(request).await;
            answer.map(Some).map_err(|error| BackendError::Unreachable(error.into()))
        })
    }

    fn mailbox(&self) -> BoxFuture<'_, Result<Option<Vec<SentMail>>, BackendError>> {
        Box::pin(async move { Ok(Some(self.mailbox())) })
    }

    fn create_admin(&self, payload: String) -> BoxFuture<'_, Result<Option<Bytes>, BackendError>> {
        Box::pin(async move {
            let failed = |error: Box<dyn std::error::Error + Send + Sync>| BackendError::Unreachable(error);
            let payload = RawValue::from_string(payload).map_err(|error| failed(error.into()))?;
            match self.invoke("create-admin", payload).await {
                Ok(answer) => Ok(Some(Bytes::from(answer.get().to_owned()))),
                Err(InvokeError::Unknown(_)) => Ok(None),
                Err(error) => Err(failed(error.into())),
            }
        })
    }
}
