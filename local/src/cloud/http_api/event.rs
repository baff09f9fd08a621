//! Payload format 2.0: an HTTP request as a function gets it, and the answer that it gives.

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::BASE64;
use http::Request;
use http::header::{COOKIE, HOST, USER_AGENT};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::routes::Found;
use crate::cloud::core::Core;
use crate::template::ACCOUNT;

/// The request as API Gateway writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: String,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: &'a BTreeMap<String, String>,
    request_context: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

pub(super) fn payload(
    core: &Core,
    request: &Request<Bytes>,
    source_ip: &str,
    found: &Found<'_>,
) -> serde_json::Result<Box<RawValue>> {
    let (mut headers, mut cookies) = (BTreeMap::<&str, String>::new(), Vec::new());
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        if name == COOKIE {
            cookies.extend(value.split(';').map(|cookie| cookie.trim().to_owned()));
            continue;
        }
        headers
            .entry(name.as_str())
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    let raw_query_string = request.uri().query().unwrap_or_default();
    let mut query_string_parameters = BTreeMap::<String, String>::new();
    for (name, value) in form_urlencoded::parse(raw_query_string.as_bytes()) {
        query_string_parameters
            .entry(name.into_owned())
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    let (body, is_base64_encoded) = match std::str::from_utf8(request.body()) {
        Ok("") => (None, false),
        Ok(text) => (Some(text.to_owned()), false),
        Err(_) => (Some(BASE64.encode(request.body())), true),
    };
    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
    let request_context = json!({
        "accountId": ACCOUNT,
        "apiId": "local",
        "domainName": header(HOST.as_str()),
        "domainPrefix": "local",
        "http": {
            "method": request.method().as_str(),
            "path": request.uri().path(),
            "protocol": "HTTP/1.1",
            "sourceIp": source_ip,
            "userAgent": header(USER_AGENT.as_str()),
        },
        "requestId": core.random.uuid(),
        "routeKey": found.route.key(),
        "stage": "$default",
        "timeEpoch": core.clock.now(),
    });
    to_raw_value(&Event {
        version: "2.0",
        route_key: found.route.key(),
        raw_path: request.uri().path(),
        raw_query_string,
        cookies,
        headers,
        query_string_parameters,
        path_parameters: &found.parameters,
        request_context,
        body,
        is_base64_encoded,
    })
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) cookies: Vec<String>,
    pub(super) body: Bytes,
}

/// A response as payload format 2.0 has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Formatted {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, Scalar>,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// A header's value: API Gateway takes numbers and booleans too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Bool(bool),
}

impl Answer {
    pub(super) fn read(answer: &RawValue) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let Ok(formatted) = serde_json::from_str::<Formatted>(answer.get()) else {
            // API Gateway infers the response from an answer that is JSON but none of its own.
            return Ok(Self {
                status: 200,
                headers: BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]),
                cookies: Vec::new(),
                body: Bytes::copy_from_slice(answer.get().as_bytes()),
            });
        };
        let body = formatted.body.unwrap_or_default();
        let body = if formatted.is_base64_encoded {
            BASE64.decode(body.as_bytes())?.into()
        } else {
            Bytes::from(body)
        };
        let headers = formatted.headers.into_iter().map(|(name, value)| {
            let value = match value {
                Scalar::Text(text) => text,
                Scalar::Number(number) => number.to_string(),
                Scalar::Bool(value) => value.to_string(),
            };
            (name, value)
        });
        Ok(Self {
            status: formatted.status_code,
            headers: headers.collect(),
            cookies: formatted.cookies,
            body,
        })
    }
}
