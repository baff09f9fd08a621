//! The embedded cloud as a backend: its HTTP API, called in this process.

use std::net::IpAddr;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};

use super::backend::{Backend, BackendError};
use crate::cloud::Cloud;

impl Backend for Cloud {
    fn call(
        &self,
        request: Request<Bytes>,
        source: IpAddr,
    ) -> BoxFuture<'_, Result<Response<Bytes>, BackendError>> {
        Box::pin(async move { Ok(self.invoke_http(request, &source.to_string()).await) })
    }
}
