//! CloudFront before the HTTP API: keeps what answers allow, and forgets what it is told to.
//!
//! What it does with which path is the template's. An answer is found again by its path, its query in order, and the
//! headers of the cache's key, and nothing else of a request reaches the API then. It lives as long as it says, by the
//! rules of RFC 9111 (`http-cache-semantics`), and no longer than the policy allows. An invalidation takes effect
//! within five seconds, as most of AWS's do
//! (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-by-tags.html>). An answer that was asked
//! for before that moment is not kept beyond it: it may show what was before.

mod invalidation;
mod kept;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, COOKIE, ETAG, HOST, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use shop_http::has_tag;

pub(super) use invalidation::Request as Invalidation;
pub(super) use invalidation::error_body;

use super::AwsError;
use super::clock::Clock;
use super::observer::Access;
use super::random::Random;
use super::secrets::Secrets;
use crate::template::{Behaviour, Caching, Distribution, Template};
use kept::Kept;

/// How long an invalidation takes to be in effect, at most.
pub const EFFECTIVE_WITHIN: Duration = Duration::from_secs(5);
/// How many answers are kept: beyond, the oldest go first.
const MAX_KEPT: usize = 10_000;
/// How many invalidations are told from new ones.
const MAX_KNOWN: usize = 1000;
/// The address that the API sees of the edge itself (RFC 5737).
const OWN_ADDRESS: &str = "192.0.2.1";
const VIEWER_ADDRESS: HeaderName = HeaderName::from_static("x-viewer-address");
/// Whether an answer was kept, in CloudFront's words.
const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// The edge.
pub(super) struct Edge {
    distribution: Distribution,
    /// What it adds to each request.
    headers: Vec<(HeaderName, HeaderValue)>,
    clock: Clock,
    random: Random,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: BTreeMap<Key, Kept>,
    forgotten: Vec<Forgotten>,
    /// The last invalidations, the newest last: the same again is the same.
    known: VecDeque<Known>,
}

/// What an answer is found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    path: String,
    query: String,
    headers: Vec<Option<Vec<u8>>>,
}

/// What is forgotten from a moment on, of all that was asked for before it.
struct Forgotten {
    /// Milliseconds since the epoch.
    at: i64,
    tags: BTreeSet<String>,
}

/// An invalidation that was taken.
struct Known {
    reference: String,
    id: String,
    tags: BTreeSet<String>,
}

/// Who answers what is not kept: a request, and the address that it comes from.
pub(super) trait Origin {
    fn answer<'a>(&'a self, request: Request<Bytes>, source: &'a str) -> BoxFuture<'a, Response<Bytes>>;
}

impl Edge {
    pub(super) fn of(template: &Template, secrets: &Secrets, clock: &Clock, random: &Random) -> Option<Self> {
        let distribution = template.distribution.clone()?;
        Some(Self {
            headers: distribution.headers(|text| secrets.resolve(text)),
            distribution,
            clock: clock.clone(),
            random: random.clone(),
            state: Mutex::default(),
        })
    }

    /// Answers a request, from what is kept or by asking.
    pub(super) async fn answer(
        &self,
        origin: &impl Origin,
        mut request: Request<Bytes>,
        viewer: &str,
    ) -> Response<Bytes> {
        let behaviour = self.distribution.behaviour(request.uri().path());
        order_query(&mut request);
        if !takes_cookies(request.uri().path()) {
            request.headers_mut().remove(COOKIE);
        }
        match behaviour {
            Some(Behaviour { cache: Some(caching), .. }) if is_read(request.method()) => {
                self.answer_cached(origin, request, caching).await
            }
            _ => {
                let forwarded =
                    behaviour.and_then(|behaviour| Some((behaviour, behaviour.forwarded.as_ref()?)));
                if let Some((behaviour, forwarded)) = forwarded {
                    let key = behaviour.cache.iter().flat_map(Caching::headers);
                    keep_only(request.headers_mut(), key.chain(forwarded).chain([&HOST, &CONTENT_LENGTH]));
                }
                self.ask(origin, request, Some(viewer)).await
            }
        }
    }

    async fn answer_cached(
        &self,
        origin: &impl Origin,
        request: Request<Bytes>,
        caching: &Caching,
    ) -> Response<Bytes> {
        let is_head = *request.method() == Method::HEAD;
        let asked = key_request(&request, caching);
        let key = Key::of(&asked, caching);
        let began = self.clock.now();
        let stale = match self.find(&key, began) {
            Some(kept) if kept.is_fresh(began) => {
                return shown(kept.response(began), "Hit from cloudfront", request.headers(), is_head);
            }
            stale => stale,
        };
        let mut forwarded = asked.clone();
        if let Some(tag) = stale.as_ref().and_then(|stale| stale.header(&ETAG)) {
            forwarded.headers_mut().insert(IF_NONE_MATCH, tag.clone());
        }
        // It is asked for whole, whatever was asked for: the next one may want all of it.
        let response = self.ask(origin, forwarded, None).await;
        let now = self.clock.now();
        let (kept, response, how) = match stale {
            Some(stale) if response.status() == StatusCode::NOT_MODIFIED => {
                let renewed = stale.renewed(&asked, &response, caching.longest, began, now);
                let response = renewed.response(now);
                (Some(renewed), response, "RefreshHit from cloudfront")
            }
            _ => {
                let kept =
                    Kept::of(&asked, &response, &self.distribution.tag_header, caching.longest, began, now);
                (kept, response, "Miss from cloudfront")
            }
        };
        match kept {
            Some(kept) => self.keep(key, kept),
            // What it said before is no more to be shown either.
            None => drop(self.lock().kept.remove(&key)),
        }
        shown(response, how, request.headers(), is_head)
    }

    /// Asks the API. It sees the edge's address, and that of the client in a header, where the path is not cached.
    async fn ask(
        &self,
        origin: &impl Origin,
        mut request: Request<Bytes>,
        viewer: Option<&str>,
    ) -> Response<Bytes> {
        let headers = request.headers_mut();
        headers.remove(VIEWER_ADDRESS);
        if let Some(Ok(address)) = viewer.map(HeaderValue::try_from) {
            headers.insert(VIEWER_ADDRESS, address);
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        origin.answer(request, OWN_ADDRESS).await
    }

    /// What is kept, unless it is forgotten by now.
    fn find(&self, key: &Key, now: i64) -> Option<Kept> {
        let mut state = self.lock();
        state.forget(now);
        let kept = state.kept.get(key)?;
        if state.is_forgotten(kept, now) {
            state.kept.remove(key);
            return None;
        }
        Some(kept.clone())
    }

    fn keep(&self, key: Key, kept: Kept) {
        let mut state = self.lock();
        if state.kept.len() >= MAX_KEPT && !state.kept.contains_key(&key) {
            let oldest = state.kept.iter().min_by_key(|(_, kept)| kept.asked_at).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                state.kept.remove(&oldest);
            }
        }
        state.kept.insert(key, kept);
    }

    /// What an invalidation needs to be allowed.
    pub(super) fn accesses(request: &Invalidation) -> Vec<Access> {
        let resource = format!("distribution/{}", request.distribution);
        vec![Access { action: "cloudfront:CreateInvalidation".to_owned(), resource }]
    }

    /// Forgets all that has one of the tags, from some moment of the next seconds on. Answers as CloudFront does, in XML.
    pub(super) fn invalidate(&self, request: &Invalidation) -> Result<String, AwsError> {
        if request.distribution != self.distribution.id {
            return Err(no_such_distribution());
        }
        let tags = request.tags()?;
        let now = self.clock.now();
        let mut state = self.lock();
        let id = match state.known.iter().find(|known| known.reference == request.reference) {
            Some(known) if known.tags == tags => known.id.clone(),
            Some(_) => {
                let message = "Your caller reference is already used by an invalidation of other paths.";
                return Err(AwsError::client("InvalidArgument", message));
            }
            None => {
                let most = u64::try_from(EFFECTIVE_WITHIN.as_millis()).unwrap_or(u64::MAX);
                let at = now + i64::try_from(self.random.below(most)).unwrap_or(0);
                state.forgotten.push(Forgotten { at, tags: tags.clone() });
                let id = format!("I{}", self.random.hex()[..13].to_uppercase());
                if state.known.len() == MAX_KNOWN {
                    state.known.pop_front();
                }
                state.known.push_back(Known { reference: request.reference.clone(), id: id.clone(), tags });
                id
            }
        };
        Ok(request.answer(&id, now))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error where there is no such distribution.
pub(super) fn no_such_distribution() -> AwsError {
    AwsError::client("NoSuchDistribution", "The specified distribution does not exist.").with_status(404)
}

impl State {
    fn is_forgotten(&self, kept: &Kept, now: i64) -> bool {
        let is_of =
            |one: &Forgotten| one.at <= now && one.at >= kept.asked_at && !one.tags.is_disjoint(&kept.tags);
        self.forgotten.iter().any(is_of)
    }

    /// Lets go of what nothing that is kept can be older than.
    fn forget(&mut self, now: i64) {
        let oldest = self.kept.values().map(|kept| kept.asked_at).min().unwrap_or(now);
        // What is under way now was asked for within half a minute: API Gateway ends it then.
        let oldest = oldest.min(now - 30_000);
        self.forgotten.retain(|one| one.at >= oldest);
    }
}

impl Key {
    fn of(request: &Request<Bytes>, caching: &Caching) -> Self {
        let header = |name| request.headers().get(name).map(|value: &HeaderValue| value.as_bytes().to_vec());
        Self {
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: caching.headers().map(header).collect(),
        }
    }
}

const fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// What reaches the API of a request that may be answered from the cache: the key, as a GET.
fn key_request(request: &Request<Bytes>, caching: &Caching) -> Request<Bytes> {
    let mut asked = Request::new(Bytes::new());
    asked.uri_mut().clone_from(request.uri());
    if !caching.has_query
        && let Ok(path) = request.uri().path().parse()
    {
        *asked.uri_mut() = path;
    }
    *asked.headers_mut() = request.headers().clone();
    keep_only(asked.headers_mut(), caching.headers().chain([&HOST]));
    if caching.has_coding {
        let codings = codings(request.headers()).map(HeaderValue::from_static);
        asked.headers_mut().remove(ACCEPT_ENCODING);
        asked.headers_mut().extend(codings.map(|codings| (ACCEPT_ENCODING, codings)));
    }
    asked
}

/// The codings that a client takes, in CloudFront's words for them
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cache-key-understand-cache-policy.html>).
fn codings(headers: &HeaderMap) -> Option<&'static str> {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let given: Vec<_> = lines
        .flat_map(|line| line.split(','))
        .map(|one| one.split(';').next().unwrap_or(one).trim())
        .collect();
    match (given.contains(&"br"), given.contains(&"gzip")) {
        (true, true) => Some("br,gzip"),
        (true, false) => Some("br"),
        (false, true) => Some("gzip"),
        (false, false) => None,
    }
}

/// Whether the function before the cache leaves a request its cookies: they are what renews a session, and no other
/// function's.
fn takes_cookies(path: &str) -> bool {
    path == "/sessions" || path.starts_with("/sessions/")
}

impl Caching {
    /// The headers of the key.
    fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.key.iter().chain(self.has_coding.then_some(&ACCEPT_ENCODING))
    }
}

fn keep_only<'h>(headers: &mut HeaderMap, names: impl Iterator<Item = &'h HeaderName>) {
    let mut left = HeaderMap::new();
    for name in names {
        for value in headers.get_all(name) {
            left.append(name.clone(), value.clone());
        }
    }
    *headers = left;
}

/// The answer as it is shown: to whom has it already, only that; to a HEAD, without its content.
fn shown(
    mut response: Response<Bytes>,
    how: &'static str,
    asked: &HeaderMap,
    is_head: bool,
) -> Response<Bytes> {
    response.headers_mut().insert(X_CACHE, HeaderValue::from_static(how));
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    if response.status() == StatusCode::OK && tag.is_some_and(|tag| has_tag(asked, tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Bytes::new();
        response.headers_mut().remove(http::header::CONTENT_TYPE);
    }
    if is_head {
        *response.body_mut() = Bytes::new();
    }
    response
}

/// Puts the query in order by its parameters, as the template's function does.
fn order_query(request: &mut Request<Bytes>) {
    let uri = request.uri();
    let Some(query) = uri.query() else { return };
    let ordered = ordered_query(query);
    if ordered == query {
        return;
    }
    let path_and_query =
        if ordered.is_empty() { uri.path().to_owned() } else { format!("{}?{ordered}", uri.path()) };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = path_and_query.parse().ok();
    if let Ok(uri) = http::Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

/// A query whose parameters are in order; those of one name stay in theirs.
#[must_use]
pub fn ordered_query(query: &str) -> String {
    let mut parameters: Vec<(&str, Vec<String>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let pair = format!("{name}={value}");
        match parameters.iter_mut().find(|(seen, _)| *seen == name) {
            Some((_, pairs)) => pairs.push(pair),
            None => parameters.push((name, vec![pair])),
        }
    }
    let mut groups: Vec<String> = parameters.into_iter().map(|(_, pairs)| pairs.join("&")).collect();
    groups.sort();
    groups.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The template's distribution and its function are held to the same table (tests/template/tests/edge.rs).
    #[test]
    fn what_is_kept_and_whose_cookies_reach_the_api() {
        let parameters = BTreeMap::from([("EdgeCache".to_owned(), "true".to_owned())]);
        let template = Template::parse(include_str!("../../../../template.yaml"), &parameters).unwrap();
        let distribution = template.distribution.unwrap();
        let cases: Vec<(String, String, bool)> =
            serde_json::from_str(include_str!("../../../tests/edge.json")).unwrap();
        for (path, kept, cookies) in cases {
            let cache = distribution.behaviour(&path).and_then(|behaviour| behaviour.cache.as_ref());
            let found = match cache {
                None => "nothing",
                Some(Caching { has_coding: true, .. }) => "files",
                Some(_) => "catalogue",
            };
            assert_eq!(found, kept, "{path}");
            let bare = path.strip_prefix("/api").unwrap_or(&path);
            assert_eq!(takes_cookies(bare), cookies, "{path}");
        }
    }

    #[test]
    fn a_client_takes_what_it_names() {
        for (given, expected) in [
            ("gzip, deflate, br, zstd", Some("br,gzip")),
            ("br;q=1.0, gzip;q=0.8", Some("br,gzip")),
            ("gzip", Some("gzip")),
            ("br", Some("br")),
            ("identity", None),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(given))]);
            assert_eq!(codings(&headers), expected, "{given}");
        }
        assert_eq!(codings(&HeaderMap::new()), None);
    }
}
