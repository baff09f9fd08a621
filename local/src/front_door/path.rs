//! Paths as clients write them, brought into the form of the template's routes.
//!
//! Two liberties and no third: an `/api` prefix, and one trailing slash. Percent-encoding, case, doubled
//! slashes and dots stay as they came: here and behind CloudFront a path means the same.

use http::Uri;
use http::uri::PathAndQuery;

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

fn without_affixes(path: &str) -> &str {
    let rest = match path.strip_prefix("/api") {
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
    fn a_prefix_and_a_trailing_slash_are_taken_off_and_nothing_else() {
        let cases = [
            ("/orders", "/orders"),
            ("/orders/", "/orders"),
            ("/api/orders/", "/orders"),
            ("/api/orders?limit=2&cursor=a%2Fb/", "/orders?limit=2&cursor=a%2Fb/"),
            ("/orders/?status=pending", "/orders?status=pending"),
            ("/", "/"),
            ("/api", "/"),
            ("/api/", "/"),
            ("/api?x=1", "/?x=1"),
            ("/apis/orders", "/apis/orders"),
            ("/API/orders", "/API/orders"),
            ("/api/api/orders", "/api/orders"),
            ("/orders//", "/orders/"),
            ("//orders", "//orders"),
            ("/api//orders", "//orders"),
            ("/products/a%2F", "/products/a%2F"),
            ("/products/../orders", "/products/../orders"),
        ];
        for (given, expected) in cases {
            let normal = normalise(&given.parse().unwrap());
            assert_eq!(normal.path_and_query().unwrap().as_str(), expected, "{given}");
        }
    }
}
