//! A request after its token was checked: what a handler may ask of it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::str::FromStr;

use lambda_http::http::{HeaderMap, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shop_auth::{Principal, SessionId, Verified};

use crate::{Cursor, EntityTag, FieldError, Input, Problem};

/// The largest body, in bytes: an order of 100 lines has about 10,000.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// As Stripe's API has it; room for a UUID and a prefix several times over.
const MAX_IDEMPOTENCY_KEY_LENGTH: usize = 255;
/// A guest has no name, so the key alone tells one guest's retry from another guest's order: it has to be
/// as hard to meet by chance as a UUID.
const MIN_GUEST_KEY_LENGTH: usize = 20;
/// Twenty times the same letter is long, and still what two people think of. A UUID that is random has fewer
/// different characters than this once in ten thousand million.
const MIN_GUEST_KEY_VARIETY: usize = 5;
const DEFAULT_LIMIT: i32 = 20;
const MAX_LIMIT: i32 = 100;

/// A request and who makes it.
pub struct Call {
    /// Who asks.
    pub principal: Principal,
    /// The gateway's id of the request: it is in the answer, in the log, and the events' correlation id.
    pub request_id: String,
    /// The session that the token was issued in, if one came with the request and it was in one.
    pub session: Option<SessionId>,
    request: Request,
}

/// What `If-Match` asks for (RFC 9110 section 13.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// No such header, or `*`.
    None,
    /// One of these versions.
    OneOf(Vec<u64>),
}

impl Precondition {
    /// Holds the precondition against the version that is stored.
    ///
    /// # Errors
    /// 412 when the header names other versions.
    pub fn check(&self, current: u64) -> Result<(), Problem> {
        match self {
            Self::OneOf(versions) if !versions.contains(&current) => Err(Problem::stale(current)),
            _ => Ok(()),
        }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug)]
pub struct PageRequest<T> {
    /// At most so many items: 1 to 100.
    pub limit: i32,
    /// The last item of the page before.
    pub after: Option<T>,
}

impl Call {
    pub(crate) fn new(caller: Verified, request_id: String, request: Request) -> Self {
        Self { principal: caller.principal, session: caller.session, request_id, request }
    }

    /// The address that the request came from, as the gateway saw it: no header of the client's says so. It
    /// is personal data, and must be neither stored nor logged as it is.
    #[must_use]
    pub fn source_address(&self) -> Option<IpAddr> {
        match self.request.request_context_ref()? {
            RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_deref()?.parse().ok(),
            _ => None,
        }
    }

    fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The path parameter `id`, read as a `T`. A text that cannot be an id names nothing: 404.
    ///
    /// # Errors
    /// 404 for the `what` that the id should name.
    pub fn id<T: FromStr>(&self, what: &str) -> Result<T, Problem> {
        let parameters = self.request.path_parameters();
        parameters.first("id").and_then(|text| text.parse().ok()).ok_or_else(|| Problem::not_found(what))
    }

    /// The path parameter `id` as it stands.
    #[must_use]
    pub fn id_text(&self) -> String {
        self.request.path_parameters().first("id").unwrap_or_default().to_owned()
    }

    /// The body, to be read as JSON.
    ///
    /// # Errors
    /// 415 for another media type, 400 for what is not JSON.
    pub fn body(&self) -> Result<Input<'_>, Problem> {
        let media_type =
            self.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        let essence =
            media_type.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        match essence.as_deref() {
            None | Some("application/json") => Input::parse(self.request.body()),
            Some(_) => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send the body as application/json.",
            )),
        }
    }

    /// The `Idempotency-Key` header, where one was sent.
    ///
    /// # Errors
    /// 400 for an empty key, one of more than 255 characters, of other than visible ASCII or with a comma, and
    /// for a guest's key of fewer than 20 characters, or fewer than 5 different ones.
    pub fn idempotency_key(&self) -> Result<Option<&str>, Problem> {
        let invalid = |detail: String| {
            let error =
                FieldError { pointer: "Idempotency-Key".into(), code: "invalid_key", detail: detail.clone() };
            Err(Problem::bad_request("invalid_idempotency_key", detail).with_errors(vec![error]))
        };
        let mut values = self.headers().get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Ok(None) };
        let key = value.to_str().unwrap_or_default();
        // The gateway joins two headers of one name by a comma, so a key with a comma may have been two.
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        if values.next().is_some() || key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY_LENGTH || !visible {
            return invalid(format!(
                "Send one Idempotency-Key of 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} visible ASCII characters, none of them a comma."
            ));
        }
        let variety = key.bytes().collect::<BTreeSet<_>>().len();
        let is_guessable = key.len() < MIN_GUEST_KEY_LENGTH || variety < MIN_GUEST_KEY_VARIETY;
        if self.principal == Principal::Guest && is_guessable {
            return invalid(format!(
                "Without a token, the Idempotency-Key needs at least {MIN_GUEST_KEY_LENGTH} characters, and \
                 {MIN_GUEST_KEY_VARIETY} different ones: use a UUID."
            ));
        }
        Ok(Some(key))
    }

    /// The value of a header that was sent once, and is visible ASCII; none for every other. Two of a name may
    /// come joined by a comma, which is for the header's own grammar to refuse.
    #[must_use]
    pub fn only_header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers().get_all(name).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
    }

    /// The `If-Match` header.
    ///
    /// # Errors
    /// 400 for what is no list of entity tags.
    pub fn if_match(&self) -> Result<Precondition, Problem> {
        let Some(value) = self.headers().get(header::IF_MATCH) else { return Ok(Precondition::None) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Precondition::None);
        }
        let tags: Vec<&str> = text.split(',').map(str::trim).collect();
        if tags.iter().any(|tag| tag.len() < 2 || !tag.starts_with('"') || !tag.ends_with('"')) {
            return Err(Problem::bad_request(
                "invalid_if_match",
                r#"If-Match takes entity tags such as "v7"."#,
            ));
        }
        // A tag that is not one of ours matches no version: 412, by an empty list.
        let tags = tags.into_iter().filter_map(EntityTag::parse);
        Ok(Precondition::OneOf(tags.map(EntityTag::version).collect()))
    }

    /// Whether `If-None-Match` names this tag, so that the answer is 304 (RFC 9110 section 13.1.2).
    #[must_use]
    pub fn is_unchanged(&self, tag: impl Into<EntityTag>) -> bool {
        let current = tag.into();
        let Some(value) = self.headers().get(header::IF_NONE_MATCH) else { return false };
        let text = value.to_str().unwrap_or_default();
        text.trim() == "*"
            || text
                .split(',')
                .map(|tag| tag.trim().trim_start_matches("W/"))
                .any(|tag| EntityTag::parse(tag) == Some(current))
    }

    /// The query parameters, which must be among `known` and not be given twice.
    ///
    /// # Errors
    /// 400 with every parameter that is not known here or was given before.
    pub fn query(&self, known: &[&str]) -> Result<Vec<(String, String)>, Problem> {
        let query = self.request.uri().query().unwrap_or_default();
        let mut parameters: Vec<(String, String)> = Vec::new();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            if !known.contains(&name.as_str()) || parameters.iter().any(|(seen, _)| *seen == name) {
                let name: String = name.chars().take(64).collect();
                let detail = "This parameter is not known here, or was given before.".to_owned();
                errors.push(FieldError { pointer: format!("?{name}"), code: "unexpected", detail });
            } else {
                parameters.push((name, value));
            }
        }
        errors.truncate(20);
        if errors.is_empty() { Ok(parameters) } else { Err(Problem::invalid_query(errors)) }
    }

    /// Reads `limit` and `cursor` from the query. `list` names the list with its filter.
    ///
    /// # Errors
    /// 400 for a limit out of 1 to 100, and for a cursor that this list has not given out.
    pub fn page<T>(&self, query: &[(String, String)], list: &str) -> Result<PageRequest<T>, Problem>
    where
        T: Serialize + DeserializeOwned,
    {
        let value = |name| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let mut errors = Vec::new();
        let mut note = |pointer: &str, code, detail: String| {
            errors.push(FieldError { pointer: pointer.to_owned(), code, detail });
        };
        let limit = match value("limit").map(str::parse) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
            Some(_) => {
                note("?limit", "out_of_range", format!("This must be from 1 to {MAX_LIMIT}."));
                DEFAULT_LIMIT
            }
        };
        let after = match value("cursor").map(|text| Cursor::decode(list, text)) {
            None => None,
            Some(Ok(position)) => Some(position),
            Some(Err(_)) => {
                note("?cursor", "invalid_cursor", "This is not a cursor of this list.".to_owned());
                None
            }
        };
        if errors.is_empty() { Ok(PageRequest { limit, after }) } else { Err(Problem::invalid_query(errors)) }
    }
}
