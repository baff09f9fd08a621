//! A request's body, read whole up to a limit and a time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{EXPECT, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::timeout;

use super::error::GatewayError;

/// The largest body that is passed on, in bytes. The functions hold the same limit themselves.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Of a body that is too large this much more is read and dropped: a client that is still writing when the
/// connection closes loses the answer that says why.
const MAX_DROPPED_BYTES: usize = 1024 * 1024;
/// A body of 64 KB that takes longer comes from a client that holds on to the connection.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest object that is taken by a presigned URL, in bytes. S3 takes 5 GB.
pub(super) const MAX_OBJECT_BYTES: usize = 256 * 1024 * 1024;
/// How long an object may take on its way.
const OBJECT_TIMEOUT: Duration = Duration::from_mins(5);

/// Reads an object of at most [`MAX_OBJECT_BYTES`].
pub(super) async fn read_object<B>(headers: &HeaderMap, body: B) -> Result<Bytes, GatewayError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error,
{
    let read = timeout(OBJECT_TIMEOUT, read_all(headers, body, MAX_OBJECT_BYTES)).await;
    match read.unwrap_or(Err(GatewayError::BodySlow)) {
        Err(GatewayError::BodyTooLarge) => Err(GatewayError::ObjectTooLarge),
        read => read,
    }
}

/// Reads a body of at most [`MAX_BODY_BYTES`].
pub(super) async fn read<B>(headers: &HeaderMap, body: B) -> Result<Bytes, GatewayError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error,
{
    timeout(READ_TIMEOUT, read_all(headers, body, MAX_BODY_BYTES))
        .await
        .unwrap_or(Err(GatewayError::BodySlow))
}

async fn read_all<B>(headers: &HeaderMap, mut body: B, most: usize) -> Result<Bytes, GatewayError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error,
{
    if headers.get_all(TRANSFER_ENCODING).iter().any(is_coded) {
        return Err(GatewayError::TransferCoding);
    }
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > most && headers.contains_key(EXPECT) {
        // The client waits for leave to send, and is not given it: nothing is under way.
        return Err(GatewayError::BodyTooLarge);
    }
    let mut read = BytesMut::with_capacity(declared.min(most));
    let mut size = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            tracing::debug!(%error, "a request's body broke off");
            GatewayError::BodyBroken
        })?;
        // Trailers carry nothing that a function could see.
        let Ok(data) = frame.into_data() else { continue };
        size = size.saturating_add(data.len());
        if size > most + MAX_DROPPED_BYTES {
            break;
        }
        if size <= most {
            read.extend_from_slice(&data);
        }
    }
    if size > most { Err(GatewayError::BodyTooLarge) } else { Ok(read.freeze()) }
}

/// Whether a body has a transfer coding below `chunked`, which alone the server takes off (RFC 9112 section 6.1).
fn is_coded(value: &HeaderValue) -> bool {
    let mut codings = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"chunked"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;
    use std::convert::Infallible;

    async fn outcome(size: usize) -> Result<usize, GatewayError> {
        let body = Full::new(Bytes::from(vec![b'x'; size]));
        read(&HeaderMap::new(), body).await.map(|bytes| bytes.len())
    }

    #[tokio::test]
    async fn up_to_the_limit_and_not_one_byte_more() {
        assert_eq!(outcome(0).await, Ok(0));
        assert_eq!(outcome(MAX_BODY_BYTES).await, Ok(MAX_BODY_BYTES));
        assert_eq!(outcome(MAX_BODY_BYTES + 1).await, Err(GatewayError::BodyTooLarge));
    }

    #[tokio::test]
    async fn an_endless_body_is_not_read_to_its_end() {
        let chunk = || Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b'x'; 4096])));
        let body = StreamBody::new(stream::repeat_with(chunk));
        assert_eq!(read(&HeaderMap::new(), body).await, Err(GatewayError::BodyTooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_given_up() {
        let body = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        assert_eq!(read(&HeaderMap::new(), body).await, Err(GatewayError::BodySlow));
    }
}
