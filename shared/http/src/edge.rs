//! Who stands before the API: CloudFront, where the stack has a distribution.
//!
//! API Gateway sees CloudFront's address then, and a header says the client's. Anybody could send that header to the
//! API's own address; CloudFront alone knows the secret that comes with it.

use std::fmt;
use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use lambda_http::http::HeaderMap;
use shop_lambda::{Environment, StartError};

/// The header with the secret, which the template's distribution adds to each request.
const SECRET: &str = "x-origin-secret";
/// The header with the client's address, which the template's `EdgeFunction` writes over whatever a client sent.
const VIEWER_ADDRESS: &str = "x-viewer-address";

/// What a route has to know of the edge to tell where a request came from.
pub struct Edge {
    secret: Option<String>,
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge").field("has_secret", &self.secret.is_some()).finish()
    }
}

impl Edge {
    /// With the secret `EDGE_SECRET`, which is empty where there is no edge.
    ///
    /// # Errors
    /// The variable is not set.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { secret: environment.optional("EDGE_SECRET")?.map(str::to_owned) })
    }

    /// The client's address as the edge tells it. None where the request has not come through the edge.
    pub(crate) fn viewer_address(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let (expected, given) = (self.secret.as_ref()?, headers.get(SECRET)?);
        verify_slices_are_equal(expected.as_bytes(), given.as_bytes()).ok()?;
        headers.get(VIEWER_ADDRESS)?.to_str().ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(secret: &str, address: &str) -> HeaderMap {
        let headers = [(SECRET, secret), (VIEWER_ADDRESS, address)];
        headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).into_iter().collect()
    }

    #[test]
    fn the_address_is_taken_from_nobody_but_the_edge() {
        let edge = Edge { secret: Some("long and random".to_owned()) };
        let address: IpAddr = "2001:db8::7".parse().unwrap();
        assert_eq!(edge.viewer_address(&headers("long and random", "2001:db8::7")), Some(address));
        assert_eq!(edge.viewer_address(&headers("long and randon", "2001:db8::7")), None);
        assert_eq!(edge.viewer_address(&headers("", "2001:db8::7")), None);
        assert_eq!(edge.viewer_address(&headers("long and random", "2001:db8::7, 10.0.0.1")), None);
        assert_eq!(edge.viewer_address(&HeaderMap::new()), None);
        assert_eq!(
            Edge { secret: None }.viewer_address(&headers("", "2001:db8::7")),
            None,
            "there is no edge"
        );
    }
}
