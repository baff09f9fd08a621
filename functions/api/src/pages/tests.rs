use std::collections::BTreeSet;

use shop_http::HeaderMap;

use super::*;

fn pages() -> Pages {
    Pages::of("https://files.example").unwrap()
}

fn asked(path: &'static str, headers: &[(&'static str, &'static str)]) -> Option<Reply> {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    pages().answer(&Asked::new(path, &headers))
}

fn header_of(reply: &Reply, name: &str) -> Option<String> {
    reply.header(name).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn every_page_of_the_table_is_there_with_what_it_loads() {
    for page in &pages().routes.pages {
        let path = page.path.replace("{id}", "a");
        let path: &'static str = Box::leak(path.into_boxed_str());
        let reply = asked(path, &[]).unwrap();
        assert_eq!(reply.code(), StatusCode::OK, "{path}");
        assert_eq!(header_of(&reply, "content-type").unwrap(), "text/html; charset=utf-8");
        let policy = header_of(&reply, "content-security-policy").unwrap();
        assert!(
            policy.contains("require-trusted-types-for 'script'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(header_of(&reply, "cache-control").unwrap(), "no-cache");
        let text = std::str::from_utf8(file(&page.file).unwrap().plain.bytes).unwrap();
        assert!(!text.contains("{build}"), "{path}");
        for loaded in text.split('"').filter(|part| part.starts_with("/assets/")) {
            let loaded: &'static str = Box::leak(loaded.to_owned().into_boxed_str());
            let file = asked(loaded, &[]).unwrap();
            assert_eq!(file.code(), StatusCode::OK, "{path} loads {loaded}");
            assert!(header_of(&file, "cache-control").unwrap().contains("immutable"), "{loaded}");
        }
        if let Some(module) = &page.module {
            assert!(file(module).is_some(), "{path} has {module}");
        }
    }
}

#[test]
fn a_path_that_is_no_page_is_one_only_for_who_would_see_it() {
    assert!(asked("/nowhere", &[("accept", "application/json")]).is_none());
    assert!(asked("/nowhere", &[]).is_none(), "who says nothing gets the API's answer");
    let page = asked("/nowhere", &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")]).unwrap();
    assert_eq!(page.code(), StatusCode::NOT_FOUND);
    assert_eq!(header_of(&page, "vary").as_deref(), Some("Accept, Accept-Encoding"));
    for path in ["/assets/other/shared/api.js", "/assets/", "/pictures/../routes.json", "/pictures/none.svg"]
    {
        assert_eq!(asked(path, &[]).unwrap().code(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn what_one_has_is_not_sent_again_and_what_is_sent_is_packed_as_one_takes_it() {
    let plain = asked("/", &[]).unwrap();
    let tag = header_of(&plain, "etag").unwrap();
    let tag: &'static str = Box::leak(tag.into_boxed_str());
    assert_eq!(asked("/", &[("if-none-match", tag)]).unwrap().code(), StatusCode::NOT_MODIFIED);
    assert_eq!(asked("/", &[("if-none-match", "\"another\"")]).unwrap().code(), StatusCode::OK);
    let several = [("if-none-match", "\"a,b\""), ("if-none-match", tag)];
    assert_eq!(asked("/", &several).unwrap().code(), StatusCode::NOT_MODIFIED, "on two lines");
    let mut tags = BTreeSet::new();
    for (accepts, coding) in [
        ("gzip, deflate, br", Some("br")),
        ("gzip", Some("gzip")),
        ("br;q=0, gzip;q=0.5", Some("gzip")),
        ("identity", None),
    ] {
        let reply = asked("/", &[("accept-encoding", accepts)]).unwrap();
        assert_eq!(header_of(&reply, "content-encoding").as_deref(), coding, "{accepts}");
        assert_eq!(header_of(&reply, "vary").as_deref(), Some("Accept-Encoding"));
        // A strong tag is that of some bytes: whoever has another coding of them does not have these.
        let tag: &'static str = Box::leak(header_of(&reply, "etag").unwrap().into_boxed_str());
        tags.insert(tag);
        let has = |accepts| [("accept-encoding", accepts), ("if-none-match", tag)];
        assert_eq!(asked("/", &has(accepts)).unwrap().code(), StatusCode::NOT_MODIFIED, "{accepts}");
        let other = if coding.is_some() { "identity" } else { "br" };
        assert_eq!(asked("/", &has(other)).unwrap().code(), StatusCode::OK, "{accepts} as {other}");
    }
    assert_eq!(tags.len(), 3, "{tags:?}");
}

#[test]
fn the_console_alone_may_send_files_where_they_are_put() {
    let connects = |path| {
        let policy = header_of(&asked(path, &[]).unwrap(), "content-security-policy").unwrap();
        policy.split("; ").find(|line| line.starts_with("connect-src")).unwrap().to_owned()
    };
    for page in &pages().routes.pages {
        let path: &'static str = Box::leak(page.path.replace("{id}", "a").into_boxed_str());
        let own = if path.starts_with("/console") { " https://files.example" } else { "" };
        assert_eq!(connects(path), format!("connect-src 'self'{own}"), "{path}");
    }
}

#[test]
fn an_origin_is_an_address_s_scheme_and_host_and_nothing_that_a_policy_could_take_for_more() {
    for (address, expected) in [
        ("https://files.s3.eu-west-1.amazonaws.com", Some("https://files.s3.eu-west-1.amazonaws.com")),
        ("http://localhost:8000/", Some("http://localhost:8000")),
        ("http://[::1]:4566/a?b", Some("http://[::1]:4566")),
        ("https://", None),
        ("ftp://files.example", None),
        ("https://*", None),
        ("https://a; script-src *", None),
        ("files.example", None),
    ] {
        assert_eq!(origin(address), expected, "{address}");
    }
}

#[test]
fn what_comes_with_a_page_names_nothing_strange() {
    let link = |path| asked(path, &[]).and_then(|reply| header_of(&reply, "link"));
    assert!(link("/p/mug-1").unwrap().contains("</api/products/mug-1>; rel=preload"));
    let strange = link("/p/%3E%2C").unwrap();
    assert!(!strange.contains("/api/products"), "{strange}");
}
