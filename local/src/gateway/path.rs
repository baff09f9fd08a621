//! Paths as clients write them, brought into the form of the template's routes.
//!
//! Two liberties and no third: an `/api` prefix, and one trailing slash. Percent-encoding, case, doubled
//! slashes and dots stay as they came: here and behind a CDN a path means the same.

use http::header::{LINK, LOCATION};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};

const PREFIX: &str = "/api";

/// The same URI without its `/api` prefix and its trailing slash; the query stays.
pub(super) fn normalise(uri: &Uri) -> Uri {
    let path = uri.path();
    let bare = without_affixes(path);
    if bare == path {
        return uri.clone();
    }
    let path_and_query = match uri.query() {
        Some(query) => format!("{bare}?{query}"),
        None => bare.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    // A shorter valid path is a valid path: were it not, the URI as it came is the honest answer.
    if let Ok(path_and_query) = path_and_query.parse::<PathAndQuery>() {
        parts.path_and_query = Some(path_and_query);
    }
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

/// What a client has put before the path of a route: its answers' addresses lead back by it.
pub(super) fn prefix(uri: &Uri) -> &'static str {
    let is_prefixed =
        uri.path().strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if is_prefixed { PREFIX } else { "" }
}

/// Puts a prefix before the addresses in `Location` (RFC 9110 section 10.2.2) and `Link` (RFC 8288).
pub(super) fn lead_back(prefix: &str, headers: &mut HeaderMap) {
    for (name, before) in [(LOCATION, "/"), (LINK, "</")] {
        let value = headers.get(&name).and_then(|value| value.to_str().ok());
        let Some(rest) = value.and_then(|value| value.strip_prefix(before)) else { continue };
        let start = before.trim_end_matches('/');
        if let Ok(value) = HeaderValue::try_from(format!("{start}{prefix}/{rest}")) {
            headers.insert(name, value);
        }
    }
}

fn without_affixes(path: &str) -> &str {
    let rest = match path.strip_prefix(PREFIX) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    };
    match rest.strip_suffix('/') {
        Some("") | None => rest,
        Some(shorter) => shorter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_lead_back_the_way_the_caller_came() {
        let led = |path: &str, name: &'static str, value: &'static str| {
            let mut headers =
                HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]);
            lead_back(prefix(&path.parse().unwrap()), &mut headers);
            headers.remove(name).unwrap().to_str().unwrap().to_owned()
        };
        let next = r#"</orders?limit=2&cursor=a>; rel="next""#;
        assert_eq!(led("/api/orders/", "location", "/orders/ord_1"), "/api/orders/ord_1");
        assert_eq!(led("/orders", "location", "/orders/ord_1"), "/orders/ord_1");
        assert_eq!(led("/apis/orders", "location", "/orders/ord_1"), "/orders/ord_1");
        assert_eq!(led("/api/orders", "link", next), r#"</api/orders?limit=2&cursor=a>; rel="next""#);
        assert_eq!(led("/orders", "link", next), next);
        assert_eq!(led("/api/orders", "location", "https://shop.example/"), "https://shop.example/");
    }

    /// What CloudFront's function does to them too (tests/template/tests/edge.rs).
    #[test]
    fn a_prefix_and_a_trailing_slash_are_taken_off_and_nothing_else() {
        let cases: Vec<(String, String)> =
            serde_json::from_str(include_str!("../../tests/paths.json")).unwrap();
        for (given, expected) in cases {
            let normal = normalise(&given.parse().unwrap());
            let (path, query) = (normal.path(), normal.query().unwrap_or_default());
            let query = crate::cloud::ordered_query(query);
            let normal = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
            assert_eq!(normal, expected, "{given}");
        }
    }
}
