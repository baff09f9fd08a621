//! Attempts: how often passwords may be tried and accounts registered, and what is counted of it.

pub(crate) mod limits;
pub(crate) mod rate_limiter;

use std::net::{IpAddr, Ipv6Addr};

use shop_http::{Code, Problem};

use limits::Wait;

/// The address that an attempt is counted under. All without one are one: none is not counted.
pub(crate) fn source(address: Option<IpAddr>) -> IpAddr {
    address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))
}

/// The same for every level that an attempt is refused at, so that it says of none what is there.
pub(crate) fn too_many_attempts(wait: Wait) -> Problem {
    let detail = "There were too many attempts. Wait, and try again.";
    Problem::too_many_requests(Code::TooManyAttempts, detail, wait.seconds())
}
