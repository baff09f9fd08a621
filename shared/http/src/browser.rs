//! A browser's session: what renews it is a cookie that no script can read (docs/decisions/0061).
//!
//! A page says by a header that it holds its session so. No form and no link can send that header, and a script of another
//! origin would need a leave to send it that nobody gives.

use lambda_http::http::{HeaderName, HeaderValue, header};

use crate::reply::header_value;
use crate::{Call, Code, Problem, Reply};

/// What a page says that holds its session as browsers do: `cookie`.
const TRANSPORT: HeaderName = HeaderName::from_static("session-transport");
/// Of which origin the page is that asks, as its browser says.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The cookie. The beginning of its name keeps other hosts of the domain from planting one.
const COOKIE: &str = "__Host-refresh";
/// Where it is sent, and to whom it is shown.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

impl Call {
    /// Whether a page asks that holds its session as browsers do.
    ///
    /// # Errors
    /// 400 where the header says anything else.
    pub fn is_browser(&self) -> Result<bool, Problem> {
        let mut said = self.headers().get_all(TRANSPORT).iter();
        match (said.next(), said.next()) {
            (None, _) => Ok(false),
            (Some(value), None) if value == "cookie" => Ok(true),
            _ => Err(Problem::new(
                Code::InvalidSessionTransport,
                "Session-Transport is `cookie`, or is not sent.",
            )),
        }
    }

    /// What the browser's cookie renews the session by, if it has one.
    ///
    /// # Errors
    /// 403 where another origin's page makes the browser ask.
    pub fn session_cookie(&self) -> Result<Option<&str>, Problem> {
        if self.headers().get_all(FETCH_SITE).iter().any(|site| site != "same-origin") {
            return Err(Problem::new(Code::Forbidden, "Only the shop's own pages may ask this."));
        }
        Ok(self.cookie(COOKIE))
    }
}

impl Reply {
    /// The same answer, which gives the browser the cookie for so many seconds.
    ///
    /// # Errors
    /// 500 where the token cannot be a header.
    pub fn with_session_cookie(self, token: &str, seconds: i64) -> Result<Self, Problem> {
        let cookie = format!("{COOKIE}={token}; {ATTRIBUTES}; Max-Age={seconds}");
        let mut value = header_value(&cookie)?;
        value.set_sensitive(true);
        Ok(self.with(header::SET_COOKIE, value))
    }

    /// The same answer, which takes the cookie away.
    ///
    /// # Errors
    /// None; the header's type wants one.
    pub fn without_session_cookie(self) -> Result<Self, Problem> {
        let cookie: HeaderValue = header_value(&format!("{COOKIE}=; {ATTRIBUTES}; Max-Age=0"))?;
        Ok(self.with(header::SET_COOKIE, cookie))
    }
}
