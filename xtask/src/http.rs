//! Small HTTP calls to servers on this machine: are they up, and what do they answer.
//!
//! Not for anything beyond the loopback: the client has no TLS.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use ureq::Agent;

/// A look whether a server is up.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);
/// A call. `cargo lambda watch` compiles a function within its first one.
const CALL_TIMEOUT: Duration = Duration::from_mins(15);

fn agent(timeout: Duration) -> Agent {
    Agent::new_with_config(
        Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).build(),
    )
}

/// Whether `url` answers with a status below 500.
pub(crate) fn answers(url: &str) -> bool {
    agent(LOOK_TIMEOUT).get(url).call().is_ok_and(|response| response.status().as_u16() < 500)
}

/// Gets a JSON document.
///
/// # Errors
/// When the call fails, or its status is not of the 200s; the message holds the body.
pub(crate) fn get(url: &str) -> Result<Value> {
    get_with(url, &[])
}

/// Gets a JSON document, with headers.
///
/// # Errors
/// As [`get`].
pub(crate) fn get_with(url: &str, headers: &[(&str, &str)]) -> Result<Value> {
    let mut request = agent(CALL_TIMEOUT).get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.call().with_context(|| format!("GET {url}"))?;
    json(&format!("GET {url}"), response)
}

/// Posts a JSON document.
///
/// # Errors
/// As [`get`].
pub(crate) fn post(url: &str, body: &Value) -> Result<Value> {
    let request = agent(CALL_TIMEOUT).post(url).header("content-type", "application/json");
    let response = request.send(body.to_string()).with_context(|| format!("POST {url}"))?;
    json(&format!("POST {url}"), response)
}

fn json(call: &str, mut response: ureq::http::Response<ureq::Body>) -> Result<Value> {
    let status = response.status();
    let body = response.body_mut().read_to_string().with_context(|| call.to_owned())?;
    ensure!(status.is_success(), "{call}: {status}: {body}");
    serde_json::from_str(&body).with_context(|| format!("{call}: not JSON: {body}"))
}

/// Whether nobody uses a port of the loopback now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port of the loopback that nobody uses now.
///
/// # Errors
/// When there is none.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_until_somebody_listens() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        drop(listener);
        assert!(is_free(port));
    }
}
