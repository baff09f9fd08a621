//! Who may speak to a server on loopback: this machine's own programs, and its own pages.
//!
//! A page from anywhere can make a browser send requests to localhost, and here every request without a
//! token acts as the demo administrator. So a request must name a loopback host with this port (a rebound
//! DNS name does not), and must not come from a page of another origin (`Origin`, `Sec-Fetch-Site`).
//! A link that someone follows to this server is no such request: its page never sees the answer.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method};

use super::error::GatewayError;

/// Checks who sends the request; `port` is the one this server listens on. A page of an origin that the developer
/// has let in (`--allow-origin`) is let in.
pub(super) fn check(request: &Parts, port: u16, is_allowed_origin: bool) -> Result<(), GatewayError> {
    check_host(request, port)?;
    if is_allowed_origin {
        return Ok(());
    }
    check_origin(&request.headers, port)?;
    check_fetch_site(request)
}

fn check_host(request: &Parts, port: u16) -> Result<(), GatewayError> {
    let host = only(&request.headers, HOST.as_str())?.ok_or(GatewayError::MalformedHost)?;
    let host = Authority::try_from(host.as_bytes()).map_err(|_| GatewayError::MalformedHost)?;
    // The absolute form (`GET http://host/path`) outranks the header, so both must be right.
    let named = request.uri.authority().into_iter().chain([&host]);
    if named.into_iter().all(|authority| is_ours(authority, port)) {
        Ok(())
    } else {
        Err(GatewayError::ForeignHost)
    }
}

fn check_origin(headers: &HeaderMap, port: u16) -> Result<(), GatewayError> {
    let Some(origin) = only(headers, ORIGIN.as_str())? else { return Ok(()) };
    let authority =
        origin.as_bytes().strip_prefix(b"http://").and_then(|text| Authority::try_from(text).ok());
    if authority.is_some_and(|authority| is_ours(&authority, port)) {
        Ok(())
    } else {
        Err(GatewayError::ForeignOrigin)
    }
}

fn check_fetch_site(request: &Parts) -> Result<(), GatewayError> {
    let header = |name| only(&request.headers, name).map(|value| value.map(HeaderValue::as_bytes));
    match header("sec-fetch-site")? {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => {
            let is_followed_link = matches!(request.method, Method::GET | Method::HEAD)
                && header("sec-fetch-mode")? == Some(b"navigate")
                && header("sec-fetch-dest")? == Some(b"document");
            if is_followed_link { Ok(()) } else { Err(GatewayError::ForeignOrigin) }
        }
    }
}

/// The one value of a header. Two of these are a smuggler's, not a browser's.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a HeaderValue>, GatewayError> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ if name == HOST.as_str() => Err(GatewayError::MalformedHost),
        _ => Err(GatewayError::ForeignOrigin),
    }
}

fn is_ours(authority: &Authority, port: u16) -> bool {
    let host = authority.host();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_loopback = host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback && !authority.as_str().contains('@') && authority.port_u16().unwrap_or(80) == port
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn outcome(method: &str, headers: &[(&str, &str)]) -> Result<(), GatewayError> {
        let mut request = Request::builder().method(method).uri("/orders");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0, 8000, false)
    }

    #[test]
    fn a_loopback_host_with_our_port_is_served() {
        for host in ["localhost:8000", "LOCALHOST:8000", "127.0.0.1:8000", "127.0.0.2:8000", "[::1]:8000"] {
            assert_eq!(outcome("POST", &[("host", host)]), Ok(()), "{host}");
        }
    }

    #[test]
    fn any_other_host_is_refused() {
        let foreign = [
            "localhost",
            "localhost:8001",
            "shop.example:8000",
            "localhost.evil.example:8000",
            "10.0.0.1:8000",
        ];
        for host in foreign.into_iter().chain(["a@localhost:8000", "[::2]:8000", "0.0.0.0:8000"]) {
            assert_eq!(outcome("GET", &[("host", host)]), Err(GatewayError::ForeignHost), "{host}");
        }
        assert_eq!(outcome("GET", &[]), Err(GatewayError::MalformedHost));
        assert_eq!(outcome("GET", &[("host", "local host")]), Err(GatewayError::MalformedHost));
        let twice = [("host", "localhost:8000"), ("host", "localhost:8000")];
        assert_eq!(outcome("GET", &twice), Err(GatewayError::MalformedHost));
    }

    #[test]
    fn an_absolute_uri_must_name_us_too() {
        let request =
            Request::get("http://shop.example/orders").header("host", "localhost:8000").body(()).unwrap();
        assert_eq!(check(&request.into_parts().0, 8000, true), Err(GatewayError::ForeignHost));
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let host = ("host", "localhost:8000");
        for origin in ["http://localhost:8000", "http://127.0.0.1:8000"] {
            assert_eq!(outcome("POST", &[host, ("origin", origin)]), Ok(()), "{origin}");
        }
        for origin in ["null", "https://localhost:8000", "http://localhost:3000", "http://shop.example", ""] {
            assert_eq!(
                outcome("POST", &[host, ("origin", origin)]),
                Err(GatewayError::ForeignOrigin),
                "{origin}"
            );
        }
        for site in ["same-origin", "none"] {
            assert_eq!(outcome("POST", &[host, ("sec-fetch-site", site)]), Ok(()), "{site}");
        }
        for site in ["same-site", "cross-site", "anything"] {
            let refused = outcome("POST", &[host, ("sec-fetch-site", site)]);
            assert_eq!(refused, Err(GatewayError::ForeignOrigin), "{site}");
        }
    }

    #[test]
    fn a_followed_link_is_served_and_a_frame_or_a_form_is_not() {
        let link = [
            ("host", "localhost:8000"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert_eq!(outcome("GET", &link), Ok(()));
        assert_eq!(outcome("POST", &link), Err(GatewayError::ForeignOrigin));
        let mut frame = link;
        frame[3].1 = "iframe";
        assert_eq!(outcome("GET", &frame), Err(GatewayError::ForeignOrigin));
    }
}
