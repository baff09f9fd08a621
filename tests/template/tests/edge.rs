//! The function that CloudFront runs before its cache, in an engine of its own: it spells a path and a query as the
//! gateway of `cargo run` does, lets through of a read what is in the cache's key, and nobody's word for an address.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use rquickjs::{Context, Runtime};
use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("../../../template.yaml");
const CASES: &str = include_str!("../../../local/tests/paths.json");
/// What is kept of which path, and whether its cookies reach the API: the edge of `cargo run` is held to the same.
const KEPT: &str = include_str!("../../../local/tests/edge.json");
/// CloudFront Functions are given no more (its quotas).
const MAX_CODE_BYTES: usize = 10 * 1024;

fn code() -> Result<String> {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(TEMPLATE)?;
    let code = &template["Resources"]["EdgeFunction"]["Properties"]["FunctionCode"];
    Ok(code.as_str().context("the code of EdgeFunction")?.to_owned())
}

/// What becomes of a request, as CloudFront hands it over.
fn handled(request: &Value) -> Result<Value> {
    let event = json!({ "version": "1.0", "viewer": { "ip": "2001:db8::7" }, "request": request });
    let call = format!("{}\nJSON.stringify(handler({event}))", code()?);
    let engine = Context::full(&Runtime::new()?)?;
    let text: String = engine.with(|context| context.eval(call))?;
    Ok(serde_json::from_str(&text)?)
}

/// A query as CloudFront reads it: by name, the values of a repeated one beside the first.
fn query_object(query: &str) -> Value {
    let mut parameters = serde_json::Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let one = json!({ "value": value });
        match parameters.get_mut(name) {
            None => drop(parameters.insert(name.to_owned(), one)),
            Some(first) => match first.get_mut("multiValue").and_then(Value::as_array_mut) {
                Some(values) => values.push(one),
                None => *first = json!({ "value": first["value"], "multiValue": [first.clone(), one] }),
            },
        }
    }
    parameters.into()
}

#[test]
fn paths_and_queries_are_spelt_as_the_gateway_spells_them() -> Result<()> {
    let cases: Vec<(String, String)> = serde_json::from_str(CASES)?;
    ensure!(cases.len() > 20, "{} cases", cases.len());
    for (given, expected) in cases {
        let (path, query) = given.split_once('?').unwrap_or((&given, ""));
        let request =
            json!({ "method": "GET", "uri": path, "querystring": query_object(query), "headers": {} });
        let handled = handled(&request)?;
        let (path, query) = (handled["uri"].as_str(), handled["querystring"].as_str());
        let (path, query) = (path.context("uri")?, query.context("querystring")?);
        let spelt = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        ensure!(spelt == expected, "{given} is {spelt}, not {expected}");
    }
    Ok(())
}

#[test]
fn only_a_change_says_more_than_the_key_and_nobody_says_where_it_comes_from() -> Result<()> {
    let names = [
        "authorization",
        "content-encoding",
        "content-type",
        "idempotency-key",
        "if-match",
        "origin",
        "x-viewer-address",
    ];
    let headers: serde_json::Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), json!({ "value": "sent" }))).collect();
    for (method, left) in [("GET", 3), ("HEAD", 3), ("PATCH", 7), ("POST", 7)] {
        let request = json!({ "method": method, "uri": "/products", "querystring": {}, "headers": headers });
        let handled = handled(&request)?;
        let headers = handled["headers"].as_object().context("headers")?;
        ensure!(headers.len() == left, "{method}: {headers:?}");
        ensure!(headers["x-viewer-address"]["value"] == "2001:db8::7", "{headers:?}");
        ensure!(headers["authorization"]["value"] == "sent", "{headers:?}");
    }
    Ok(())
}

#[test]
fn the_code_is_no_longer_than_cloudfront_takes() -> Result<()> {
    let length = code()?.len();
    ensure!(length <= MAX_CODE_BYTES, "{length} bytes");
    Ok(())
}

/// The headers of the catalogue's key, and those that besides reach the API, in lower case.
fn catalogue_headers(template: &serde_yaml_ng::Value) -> (Vec<String>, Vec<String>) {
    let config = |id: &str, name: &str| &template["Resources"][id]["Properties"][name];
    let names = |value: &serde_yaml_ng::Value| -> Vec<String> {
        let headers = value["HeadersConfig"]["Headers"].as_sequence().into_iter().flatten();
        headers.filter_map(|name| Some(name.as_str()?.to_ascii_lowercase())).collect()
    };
    let key = config("CatalogueCachePolicy", "CachePolicyConfig");
    (
        names(&key["ParametersInCacheKeyAndForwardedToOrigin"]),
        names(config("CatalogueChangePolicy", "OriginRequestPolicyConfig")),
    )
}

/// CloudFront takes no distribution that would add these to a request
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html>).
#[test]
fn the_origin_is_sent_no_header_that_cloudfront_adds_to_none() -> Result<()> {
    const REFUSED: [&str; 23] = [
        "cache-control",
        "connection",
        "content-length",
        "cookie",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "max-forwards",
        "pragma",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "request-range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-real-ip",
    ];
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(TEMPLATE)?;
    let origins = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["Origins"]
        .as_sequence()
        .context("origins")?;
    let headers = origins.iter().filter_map(|origin| origin["OriginCustomHeaders"].as_sequence()).flatten();
    let names: Vec<_> = headers.filter_map(|header| header["HeaderName"].as_str()).collect();
    ensure!(!names.is_empty(), "no origin has a header");
    for name in names {
        let begins = name.starts_with("x-edge-") || name.starts_with("x-amz-");
        ensure!(!begins && !REFUSED.contains(&name), "{name}");
    }
    Ok(())
}

/// The template's behaviours as CloudFront's quotas and rules have them.
#[test]
fn what_the_key_does_not_have_reaches_the_api_of_no_cached_answer() -> Result<()> {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(TEMPLATE)?;
    let (key, forwarded) = catalogue_headers(&template);
    ensure!(key == ["authorization", "origin"] && forwarded.len() <= 10, "{key:?} {forwarded:?}");
    let code = code()?;
    for name in &forwarded {
        // CloudFront answers If-None-Match itself, and a preflight is no read.
        let is_harmless = name == "if-none-match" || name.starts_with("access-control-request-");
        ensure!(is_harmless || code.contains(&format!("'{name}'")), "{name} would reach the API of a read");
    }
    Ok(())
}

#[test]
fn what_a_route_of_the_catalogue_looks_at_reaches_it() -> Result<()> {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(TEMPLATE)?;
    let (key, forwarded) = catalogue_headers(&template);
    let mut count = 0;
    for route in services::routes() {
        let behaviour = behaviour(&template, &route.endpoint.path.replace("{id}", "prod-1"))?;
        if behaviour["CachePolicyId"].as_str() != Some("CatalogueCachePolicy") {
            continue;
        }
        count += 1;
        let contract = (route.contract)();
        let mut read: BTreeSet<_> =
            contract.headers.iter().map(|(name, ..)| name.to_ascii_lowercase()).collect();
        if route.takes_body {
            read.extend(["content-encoding".to_owned(), "content-type".to_owned()]);
        }
        let is_read = route.endpoint.method == "GET";
        for name in read {
            // Of a read CloudFront answers the one condition itself; a cache may ignore the other (RFC 9110 section 13.1.1).
            let passes = if is_read {
                name == "if-none-match" || name == "if-match"
            } else {
                forwarded.contains(&name)
            };
            let reaches = passes || key.contains(&name);
            ensure!(reaches, "{} does not see {name}", route.function.name());
        }
    }
    ensure!(count > 5, "{count} routes");
    Ok(())
}

/// The behaviour of a path: the first that fits, or else that of all.
fn behaviour<'a>(template: &'a serde_yaml_ng::Value, path: &str) -> Result<&'a serde_yaml_ng::Value> {
    let config = &template["Resources"]["Distribution"]["Properties"]["DistributionConfig"];
    let behaviours = config["CacheBehaviors"].as_sequence().context("CacheBehaviors")?;
    let is_of_path = |behaviour: &&serde_yaml_ng::Value| {
        behaviour["PathPattern"].as_str().is_some_and(|pattern| fits(path, pattern))
    };
    Ok(behaviours.iter().find(is_of_path).unwrap_or(&config["DefaultCacheBehavior"]))
}

/// Whether a path fits a pattern of a behaviour, in which `*` stands for any text.
fn fits(path: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => path == pattern,
        Some((before, behind)) => path.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().any(|(at, _)| fits(&rest[at..], behind)) || fits("", behind)
        }),
    }
}

#[test]
fn the_files_and_the_catalogue_are_kept_and_the_cookies_of_sessions_alone_go_through() -> Result<()> {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(TEMPLATE)?;
    let cases: Vec<(String, String, bool)> = serde_json::from_str(KEPT)?;
    for (path, kept, cookies) in cases {
        let behaviour = behaviour(&template, &path)?;
        let policy = &behaviour["CachePolicyId"];
        let found = match policy.as_str() {
            // CachingDisabled, and CachingOptimized.
            Some("4135ea2d-6df8-44a3-9df3-4b5a84be39ad") => "nothing",
            Some("658327ea-f89d-4fab-a63d-7e88639e58f6") => "files",
            Some("CatalogueCachePolicy") => "catalogue",
            other => anyhow::bail!("{path}: {other:?}"),
        };
        ensure!(found == kept, "{path} is {found}, not {kept}");
        // Nothing of a request for a file reaches the API but what is in the key, and nothing changes one.
        ensure!((found == "files") == behaviour["OriginRequestPolicyId"].is_null(), "{path}");
        let methods = behaviour["AllowedMethods"].as_sequence().map(Vec::len);
        ensure!(methods == Some(if found == "files" { 2 } else { 7 }), "{path}: {methods:?}");
        let request = json!({ "method": "POST", "uri": path, "querystring": {}, "headers": {},
            "cookies": { "__Host-refresh": { "value": "rt1" } } });
        let left = handled(&request)?["cookies"].as_object().map(serde_json::Map::len);
        ensure!(left == Some(usize::from(cookies)), "{path}: {left:?}");
        // A precondition of a read counts wherever the read is not kept.
        let read = json!({ "method": "GET", "uri": path, "querystring": {},
            "headers": { "if-match": { "value": "\"v1\"" } } });
        let is_left = handled(&read)?["headers"]["if-match"].is_object();
        ensure!(is_left == (found != "catalogue"), "{path}: {is_left}");
    }
    Ok(())
}
