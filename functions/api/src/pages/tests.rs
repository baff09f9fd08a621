use shop_http::HeaderMap;

use super::*;

fn asked(path: &'static str, headers: &[(&'static str, &'static str)]) -> Option<Reply> {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    answer(&Asked::new(path, &headers))
}

fn header_of(reply: &Reply, name: &str) -> Option<String> {
    reply.header(name).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn every_page_of_the_table_is_there_with_what_it_loads() {
    for page in &TABLES.0.pages {
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
        let text = std::str::from_utf8(file(&page.file).unwrap().plain).unwrap();
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
    for (accepts, coding) in [
        ("gzip, deflate, br", Some("br")),
        ("gzip", Some("gzip")),
        ("br;q=0, gzip;q=0.5", Some("gzip")),
        ("identity", None),
    ] {
        let reply = asked("/", &[("accept-encoding", accepts)]).unwrap();
        assert_eq!(header_of(&reply, "content-encoding").as_deref(), coding, "{accepts}");
        assert_eq!(header_of(&reply, "vary").as_deref(), Some("Accept-Encoding"));
    }
}

#[test]
fn what_comes_with_a_page_names_nothing_strange() {
    let link = |path| asked(path, &[]).and_then(|reply| header_of(&reply, "link"));
    assert!(link("/p/mug-1").unwrap().contains("</api/products/mug-1>; rel=preload"));
    let strange = link("/p/%3E%2C").unwrap();
    assert!(!strange.contains("/api/products"), "{strange}");
}
