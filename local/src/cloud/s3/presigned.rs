//! Presigned URLs: whoever has one may do what it names, as its signer, until it expires.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::request::Parts;
use http::{HeaderMap, Uri};
use shop_types::Timestamp;

use super::request::unsigned;
use crate::cloud::AwsError;

/// The longest that a URL may hold, in seconds: seven days.
const MOST_EXPIRES: u64 = 604_800;

/// By how much the signer's clock may be ahead.
const MOST_AHEAD: Duration = Duration::from_mins(15);

/// The parameters that make a URL a presigned one.
struct Signature {
    signer: String,
    /// When it was signed.
    at: Duration,
    expires: Duration,
    headers: Vec<String>,
    value: String,
}

/// Whether a request comes with a presigned URL of S3.
pub(crate) fn is_presigned(uri: &Uri) -> bool {
    let has = |wanted: &str| uri.query().is_some_and(|query| parameter(query, wanted).is_some());
    has("X-Amz-Signature") && has("X-Amz-Credential")
}

/// The one whose URL it is, if it is theirs, and still holds.
pub(super) fn signer(request: &Parts, region: &str, secret: &str, now: i64) -> Result<String, AwsError> {
    let query = request.uri.query().unwrap_or_default();
    let Some(signature) = Signature::read(query, region) else {
        let message = "Query-string authentication version 4 requires all its parameters";
        return Err(AwsError::client("AuthorizationQueryParametersError", message));
    };
    if signature.at > Duration::from_millis(u64::try_from(now).unwrap_or(0)) + MOST_AHEAD {
        return Err(denied("AccessDenied", "Request is not valid yet"));
    }
    let expires = i64::try_from((signature.at + signature.expires).as_millis()).unwrap_or(i64::MAX);
    if now >= expires {
        return Err(denied("AccessDenied", "Request has expired"));
    }
    let expected = signature.expected(request, region, secret);
    // Both are digests of the same length; how far a guess is right shows in no time that it takes.
    if expected.is_none_or(|expected| !is_same(expected.as_bytes(), signature.value.as_bytes())) {
        let message = "The request signature we calculated does not match the signature you provided.";
        return Err(denied("SignatureDoesNotMatch", message));
    }
    Ok(signature.signer)
}

impl Signature {
    fn read(query: &str, own_region: &str) -> Option<Self> {
        let of = |name: &str| parameter(query, name);
        if of("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
            return None;
        }
        let credential = of("X-Amz-Credential")?;
        let mut scope = credential.rsplitn(5, '/');
        let (end, service, region) = (scope.next()?, scope.next()?, scope.next()?);
        let (date, signer) = (scope.next()?, scope.next()?);
        let at = of("X-Amz-Date")?;
        if (end, service, region) != ("aws4_request", "s3", own_region) || !at.starts_with(date) {
            return None;
        }
        let expires = of("X-Amz-Expires")?.parse().ok().filter(|expires| *expires <= MOST_EXPIRES)?;
        Some(Self {
            signer: signer.to_owned(),
            at: Duration::from_millis(u64::try_from(instant(&at)?).ok()?),
            expires: Duration::from_secs(expires),
            headers: of("X-Amz-SignedHeaders")?.split(';').map(str::to_owned).collect(),
            value: of("X-Amz-Signature")?,
        })
    }

    /// The signature that the signer would give the request.
    fn expected(&self, request: &Parts, region: &str, secret: &str) -> Option<String> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(self.expires);
        let identity = Credentials::from_keys(&self.signer, secret, None).into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("s3")
            .time(UNIX_EPOCH + self.at)
            .settings(settings)
            .build()
            .ok()?;
        let host = value(&request.headers, "host")
            .or_else(|| request.uri.authority().map(http::uri::Authority::as_str))?;
        let query = unsigned(request.uri.query().unwrap_or_default());
        let query = if query.is_empty() { query } else { format!("?{query}") };
        let uri = format!("http://{host}{}{query}", request.uri.path());
        let mut headers = Vec::with_capacity(self.headers.len());
        for name in self.headers.iter().filter(|name| *name != "host") {
            headers.push((name.as_str(), value(&request.headers, name)?));
        }
        let body = SignableBody::UnsignedPayload;
        let signable = SignableRequest::new(request.method.as_str(), uri, headers.into_iter(), body).ok()?;
        Some(sign(signable, &parameters.into()).ok()?.into_parts().1)
    }
}

/// A time as signatures write it: `20261126T184500Z`, in milliseconds since the epoch.
fn instant(text: &str) -> Option<i64> {
    if text.len() != 16 || !text.is_ascii() {
        return None;
    }
    let (date, time) = text.split_once('T')?;
    let written = format!(
        "{}-{}-{}T{}:{}:{}Z",
        date.get(..4)?,
        date.get(4..6)?,
        date.get(6..)?,
        time.get(..2)?,
        time.get(2..4)?,
        time.get(4..6)?
    );
    written.parse::<Timestamp>().ok().map(Timestamp::as_millis)
}

fn parameter(query: &str, wanted: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn denied(code: &str, message: &str) -> AwsError {
    AwsError::client(code, message).with_status(403)
}
