//! A request after its token was checked: what a handler may ask of it.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use lambda_http::http::{HeaderMap, HeaderName, Method};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shop_auth::{AccountReader, Principal, Role, SessionId, Standing, Verified};
use shop_events::Cause;
use shop_lambda::Internal;
use shop_types::UserId;

use crate::audit::Trail;
use crate::event::HttpRequest;
use crate::idempotency::IdempotencyKey;
use crate::{
    Code, Cursor, Edge, EntityTag, FieldCode, FieldError, Input, Precondition, Problem, content, precondition,
};

/// The largest body, in bytes: an order of 100 lines has about 10,000.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// As Stripe's API has it; room for a UUID and a prefix several times over.
const MAX_IDEMPOTENCY_KEY_LENGTH: usize = 255;
/// A guest has no name, so the key alone tells one guest's retry from another guest's order: it has to be
/// as hard to meet by chance as a UUID.
const MIN_GUEST_KEY_LENGTH: usize = 20;
/// A UUID that somebody made up by hand has more different characters than this; `aaaa...` has not.
const MIN_GUEST_KEY_VARIETY: usize = 5;
const DEFAULT_LIMIT: i32 = 20;
/// The most items that a page may be asked to have.
pub const MAX_LIMIT: i32 = 100;
/// Of a hostile text no more than this is repeated in an answer or a log.
const MAX_ECHO: usize = 64;

/// A request and who makes it.
pub struct Call {
    /// Who asks.
    pub principal: Principal,
    /// The gateway's id of the request: it is in the answer, in the log, and the events' correlation id.
    pub request_id: String,
    /// The session that the token was issued in, if one came with the request and it was in one.
    pub session: Option<SessionId>,
    /// The account's session epoch when the token was issued; none for a guest. Whoever reads the account anyway
    /// compares it ([`Call::check_epoch`]).
    pub epoch: Option<u64>,
    request: HttpRequest,
    parameters: Vec<(String, String)>,
    accounts: Option<AccountReader>,
    standing: OnceLock<Option<Standing>>,
    trail: Arc<Trail>,
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
    pub(crate) fn new(
        caller: Verified,
        request_id: String,
        request: HttpRequest,
        accounts: Option<AccountReader>,
        trail: Arc<Trail>,
    ) -> Self {
        // Who is refused before the path is read names something, too; anything that somebody has typed is not noted.
        if let Some(id) = request.id.as_deref().filter(|id| shop_types::is_made_id(id)) {
            trail.subject(id.to_owned());
        }
        Self {
            principal: caller.principal,
            session: caller.session,
            epoch: caller.epoch,
            request_id,
            request,
            parameters: Vec::new(),
            accounts,
            standing: OnceLock::new(),
            trail,
        }
    }

    /// Whether an administrator asks, as the account and the session are now: the token only claims it
    /// (docs/decisions/0030). It costs one call, once a request, and none where the token claims nothing.
    ///
    /// # Errors
    /// 401 when the token was ended since (another role, password or address, deleted, or logged out); 500 or 503
    /// when the account cannot be read.
    pub async fn is_admin(&self) -> Result<bool, Problem> {
        let Principal::User { id, role: Role::Admin } = &self.principal else { return Ok(false) };
        Ok(self.standing(id).await?.role == Role::Admin)
    }

    /// Refuses a token that was ended before it expired: for what changes an account, whoever it belongs to. It costs
    /// what [`Call::is_admin`] costs, and nothing after that.
    ///
    /// # Errors
    /// As [`Call::is_admin`].
    pub async fn check_session(&self) -> Result<(), Problem> {
        match self.principal.user_id() {
            Some(id) => self.standing(id).await.map(drop),
            None => Ok(()),
        }
    }

    async fn standing(&self, id: &UserId) -> Result<Standing, Problem> {
        let standing = if let Some(standing) = self.standing.get() {
            *standing
        } else {
            let accounts = self.accounts.as_ref().ok_or(NoAccounts)?;
            let standing = accounts.standing(id, self.session.as_ref()).await?;
            *self.standing.get_or_init(|| standing)
        };
        let standing = standing.ok_or_else(outdated)?;
        self.check_epoch(standing.epoch)?;
        Ok(standing)
    }

    /// Notes the standing that a handler has read along with something else, so that [`Call::is_admin`] makes no
    /// call.
    pub fn learn(&self, standing: Option<Standing>) {
        self.standing.get_or_init(|| standing);
    }

    /// Holds the token against the account's session epoch, where a handler has read the account anyway.
    ///
    /// # Errors
    /// 401 when the token was issued in another epoch.
    pub fn check_epoch(&self, current: u64) -> Result<(), Problem> {
        if self.epoch == Some(current) { Ok(()) } else { Err(outdated()) }
    }

    /// What is answered where the account that was asked for is not there: to itself that its token was ended (401), to
    /// others that nobody is (404).
    #[must_use]
    pub fn absent_user(&self, asked_for: &UserId) -> Problem {
        if self.principal.is_user(asked_for) { outdated() } else { Problem::not_found("user") }
    }

    /// Why what this request writes is written: it, and who made it.
    #[must_use]
    pub fn cause(&self) -> Cause {
        Cause::request(&self.request_id).by(self.principal.to_string())
    }

    /// Adds a figure or a word to the request's line of the audit trail. It must be no name, address or token.
    pub fn audit(&self, name: &'static str, value: &(impl ToString + ?Sized)) {
        self.trail.detail(name, value.to_string());
    }

    /// The address that the request came from, as the edge or the gateway saw it: no header of the client's says so. It
    /// is personal data, and must be neither stored nor logged as it is.
    #[must_use]
    pub fn source_address(&self, edge: &Edge) -> Option<IpAddr> {
        edge.viewer_address(&self.request.headers).or(self.request.source)
    }

    /// The value of a header that is sent once, as text; none where it is absent, repeated with a comma between,
    /// or no visible ASCII.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        let mut values = self.request.headers.get_all(name).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        value.to_str().ok().filter(|text| !text.contains(','))
    }

    pub(crate) const fn headers(&self) -> &HeaderMap {
        &self.request.headers
    }

    /// The value of a cookie, if it came.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let mut pairs = self.request.cookies.iter().filter_map(|cookie| cookie.split_once('='));
        pairs.find(|(of, _)| *of == name).map(|(_, value)| value)
    }

    /// Whether the caller unpacks gzip. The answer has to say that it depends on it ([`Reply::packed`](crate::Reply::packed)).
    #[must_use]
    pub fn accepts_gzip(&self) -> bool {
        content::accepts_gzip(&self.request.headers)
    }

    /// Which of these representations the caller likes best: its place (RFC 9110 section 12.5.1). The answer has to say
    /// that it depends on it ([`Reply::by_accept`](crate::Reply::by_accept)).
    ///
    /// # Errors
    /// 406 where the caller takes none of them.
    pub fn preferred(&self, media_types: &[&str]) -> Result<usize, Problem> {
        content::preferred(&self.request.headers, media_types).ok_or_else(|| {
            let detail = format!("This is there as {}.", media_types.join(" or "));
            Problem::new(Code::NotAcceptable, detail).by_accept()
        })
    }

    /// The path parameter `id`, read as a `T`: what the request's line of the audit trail is about. A text that cannot be
    /// an id names nothing: 404.
    ///
    /// # Errors
    /// 404 for the `what` that the id should name.
    pub fn id<T: FromStr>(&self, what: &str) -> Result<T, Problem> {
        let text = self.request.id.as_deref().ok_or_else(|| Problem::not_found(what))?;
        let id = text.parse().map_err(|_| Problem::not_found(what))?;
        self.trail.subject(text.to_owned());
        Ok(id)
    }

    /// The path parameter `id` as it stands.
    #[must_use]
    pub fn id_text(&self) -> String {
        self.request.id.clone().unwrap_or_default()
    }

    /// Holds a request to what a route without a body takes: none, or an empty object, which many clients send.
    ///
    /// # Errors
    /// 400 for any other body: the caller means something by it that nobody would do.
    pub(crate) fn check_no_body(&self) -> Result<(), Problem> {
        if self.request.body.as_deref().is_some_and(content::is_nothing) {
            return Ok(());
        }
        Err(Problem::new(Code::UnexpectedBody, "This route takes no body: send none, or {}."))
    }

    /// Whether there is a body, whatever it is.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.request.body.as_ref().is_none_or(|body| !body.is_empty())
    }

    /// The body, to be read as JSON.
    ///
    /// # Errors
    /// 400 for a body that is empty or no JSON, 415 for another media type or a content coding.
    pub fn body(&self) -> Result<Input<'_>, Problem> {
        let Some(body) = &self.request.body else {
            return Err(Problem::new(Code::MalformedBody, "The body is not what its coding says."));
        };
        if body.is_empty() {
            // Before the media type: a gateway may add one to a request that has no body.
            return Err(Problem::new(Code::EmptyBody, "The request needs a JSON body."));
        }
        content::check_coding(&self.request.headers)?;
        content::check_media_type(&self.request.headers, self.request.method == Method::PATCH)?;
        Input::parse(body)
    }

    /// The `Idempotency-Key` header, where one was sent. A key has no comma: the gateway joins two headers by one.
    ///
    /// # Errors
    /// 400 for an empty key, one of more than 255 characters, of other than visible ASCII or with a comma, and for
    /// a guest's key that could be guessed: fewer than 20 characters, or fewer than 5 different ones.
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey<'_>>, Problem> {
        let invalid = |detail: String| {
            let error = FieldError {
                pointer: "Idempotency-Key".into(),
                code: FieldCode::InvalidKey,
                detail: detail.clone(),
            };
            Err(Problem::new(Code::InvalidIdempotencyKey, detail).with_errors(vec![error]))
        };
        let mut values = self.request.headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Ok(None) };
        let key = value.to_str().unwrap_or_default();
        let is_one =
            values.next().is_none() && key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        if !is_one || key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY_LENGTH {
            return invalid(format!(
                "Send one Idempotency-Key of 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} visible ASCII characters other than a comma."
            ));
        }
        let variety = (b'!'..=b'~').filter(|byte| key.as_bytes().contains(byte)).count();
        if self.principal == Principal::Guest
            && (key.len() < MIN_GUEST_KEY_LENGTH || variety < MIN_GUEST_KEY_VARIETY)
        {
            return invalid(format!(
                "Without a token, the Idempotency-Key needs at least {MIN_GUEST_KEY_LENGTH} characters, \
                 {MIN_GUEST_KEY_VARIETY} of them different: use a UUID."
            ));
        }
        Ok(Some(IdempotencyKey::of(&self.principal, key)))
    }

    /// What the request asks of the version that it changes: `If-Match` and `If-None-Match`.
    ///
    /// # Errors
    /// 400 for what is no list of entity tags.
    pub fn precondition(&self) -> Result<Precondition, Problem> {
        Precondition::read(&self.request.headers)
    }

    /// Whether `If-None-Match` names this tag, so that the answer is 304 (RFC 9110 section 13.1.2).
    ///
    /// # Errors
    /// 412 where `If-Match` names other tags, and 400 where it is no list of tags.
    pub fn is_unchanged(&self, tag: impl Into<EntityTag>) -> Result<bool, Problem> {
        precondition::is_unchanged(&self.request.headers, tag.into())
    }

    /// Reads the query, whose parameters must be among `known` and not be given twice: the same on every route.
    pub(crate) fn read_query(&mut self, known: &[&str]) -> Result<(), Problem> {
        let mut errors = Vec::new();
        for pair in self.request.query.split('&').filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = form_urlencoded::parse(pair.as_bytes()).into_owned().next() else {
                continue;
            };
            let is_text = percent_decode_str(pair).decode_utf8().is_ok();
            let code = if !known.contains(&name.as_str()) {
                FieldCode::Unexpected
            } else if self.parameters.iter().any(|(seen, _)| *seen == name) {
                FieldCode::Repeated
            } else if !is_text {
                // What stands in the place of such bytes is no text that the caller has sent.
                FieldCode::InvalidFilter
            } else {
                self.parameters.push((name, value));
                continue;
            };
            let name: String = name.chars().take(MAX_ECHO).collect();
            let detail = match (code, known) {
                (FieldCode::InvalidFilter, _) => "This is not text in UTF-8.".to_owned(),
                (FieldCode::Repeated, _) => "This parameter was given before.".to_owned(),
                (_, []) => "This route takes no query parameters.".to_owned(),
                (_, known) => format!("This parameter is not known here; known are: {}.", known.join(", ")),
            };
            errors.push(FieldError { pointer: format!("?{name}"), code, detail });
        }
        errors.truncate(20);
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid_query(errors)) }
    }

    /// A query parameter; none where it was not given.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `limit`, as it is written in JSON: without a sign and without zeros before it.
    fn limit(&self) -> Option<i32> {
        let Some(text) = self.parameter("limit") else { return Some(DEFAULT_LIMIT) };
        let limit = text.parse().ok().filter(|limit: &i32| limit.to_string() == text)?;
        (1..=MAX_LIMIT).contains(&limit).then_some(limit)
    }

    /// Holds `limit` to its bounds, for a list that is one page whatever it says.
    ///
    /// # Errors
    /// 400 for a limit out of 1 to 100.
    pub fn check_limit(&self) -> Result<(), Problem> {
        let wrong = || FieldError {
            pointer: "?limit".to_owned(),
            code: FieldCode::OutOfRange,
            detail: limit_detail(),
        };
        self.limit().map(drop).ok_or_else(|| Problem::invalid_query(vec![wrong()]))
    }

    /// Reads `limit` and `cursor` from the query. `list` names the list with its filter. An empty cursor is none.
    ///
    /// # Errors
    /// 400 for a limit out of 1 to 100, and for a cursor that this list has not given out.
    pub fn page<T>(&self, list: &str) -> Result<PageRequest<T>, Problem>
    where
        T: Serialize + DeserializeOwned,
    {
        let mut errors = Vec::new();
        let mut note = |pointer: &str, code, detail: String| {
            errors.push(FieldError { pointer: pointer.to_owned(), code, detail });
        };
        let limit = self.limit().unwrap_or_else(|| {
            note("?limit", FieldCode::OutOfRange, limit_detail());
            DEFAULT_LIMIT
        });
        let cursor = self.parameter("cursor").filter(|text| !text.is_empty());
        let after = match cursor.map(|text| Cursor::decode(list, text)) {
            None => None,
            Some(Ok(position)) => Some(position),
            Some(Err(_)) => {
                note("?cursor", FieldCode::InvalidCursor, "This is not a cursor of this list.".to_owned());
                None
            }
        };
        if errors.is_empty() { Ok(PageRequest { limit, after }) } else { Err(Problem::invalid_query(errors)) }
    }
}

/// A route that needs an administrator was started without accounts.
#[derive(Debug, thiserror::Error)]
#[error("the route does not say that it asks accounts")]
struct NoAccounts;

impl Internal for NoAccounts {}

fn limit_detail() -> String {
    format!("This must be from 1 to {MAX_LIMIT}.")
}

fn outdated() -> Problem {
    Problem::unauthorized(
        "The access token was ended, by a change of the account or a log-out. Log in again.",
        true,
    )
}
