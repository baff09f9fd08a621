//! An answer that is kept.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::AGE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_cache_semantics::{AfterResponse, CacheOptions, CachePolicy};

const OPTIONS: CacheOptions = CacheOptions {
    shared: true,
    // What does not say how long it may be kept is not.
    cache_heuristic: 0.0,
    immutable_min_time_to_live: Duration::ZERO,
    ignore_cargo_cult: false,
};

#[derive(Clone)]
pub(super) struct Kept {
    policy: CachePolicy,
    headers: HeaderMap,
    body: Bytes,
    /// By what it is forgotten, in lower case.
    pub(super) tags: BTreeSet<String>,
    /// When the API was asked for it, in milliseconds since the epoch: it may show what was so then.
    pub(super) asked_at: i64,
    /// Until when it is shown without asking.
    fresh_until: i64,
}

impl Kept {
    /// An answer that was asked for at `asked_at` and has come `now`; none where it may not be kept.
    pub(super) fn of(
        request: &Request<Bytes>,
        response: &Response<Bytes>,
        tag_header: &HeaderName,
        longest: Duration,
        asked_at: i64,
        now: i64,
    ) -> Option<Self> {
        // Refusals are not cached: the distribution says so.
        if response.status() != StatusCode::OK {
            return None;
        }
        let policy = CachePolicy::new_options(&anonymous(request), response, time(now), OPTIONS);
        if !policy.is_storable() {
            return None;
        }
        let tags = response.headers().get_all(tag_header).iter().filter_map(|value| value.to_str().ok());
        let tags = tags.flat_map(|list| list.split(',')).map(|tag| tag.trim().to_ascii_lowercase());
        let fresh_until = fresh_until(&policy, longest, now);
        let is_of_use = fresh_until > now;
        is_of_use.then(|| Self {
            tags: tags.take(50).collect(),
            policy,
            headers: response.headers().clone(),
            body: response.body().clone(),
            asked_at,
            fresh_until,
        })
    }

    /// The same after the API has said that it is still so.
    pub(super) fn renewed(
        self,
        request: &Request<Bytes>,
        response: &Response<Bytes>,
        longest: Duration,
        asked_at: i64,
        now: i64,
    ) -> Self {
        let after = self.policy.after_response(&anonymous(request), response, time(now));
        let (AfterResponse::NotModified(policy, parts) | AfterResponse::Modified(policy, parts)) = after;
        let fresh_until = fresh_until(&policy, longest, now);
        Self { policy, headers: parts.headers, asked_at, fresh_until, ..self }
    }

    pub(super) fn is_fresh(&self, now: i64) -> bool {
        now < self.fresh_until
    }

    pub(super) fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.headers.get(name)
    }

    /// The answer as it is shown now, with its age.
    pub(super) fn response(&self, now: i64) -> Response<Bytes> {
        let mut response = Response::new(self.body.clone());
        *response.headers_mut() = self.headers.clone();
        response.headers_mut().insert(AGE, HeaderValue::from(self.policy.age(time(now)).as_secs()));
        response
    }
}

/// The key holds whose it is; the rules of shared caches have nothing more to add.
fn anonymous(request: &Request<Bytes>) -> Request<Bytes> {
    let mut request = request.clone();
    request.headers_mut().clear();
    request
}

fn fresh_until(policy: &CachePolicy, longest: Duration, now: i64) -> i64 {
    let live = policy.time_to_live(time(now)).min(longest);
    now.saturating_add(i64::try_from(live.as_millis()).unwrap_or(i64::MAX))
}

fn time(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
