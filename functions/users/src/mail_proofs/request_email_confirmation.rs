//! `POST /users/{id}/email-confirmation`: mails the user a token that confirms the address of the account. Registering
//! and moving to another address do so by themselves.

use shop_http::{Access, Call, Code, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, StartError};

use crate::accounts::path::own_user;
use crate::accounts::store::Directory;
use crate::attempts::rate_limiter::RateLimiter;
use crate::attempts::too_many_attempts;
use crate::mail_proofs::mail_request::{MailKind, MailRequest};
use crate::mail_proofs::store::MailRequests;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<RequestEmailConfirmation>();

pub(crate) struct RequestEmailConfirmation {
    accounts: Directory,
    requests: MailRequests,
    limiter: RateLimiter,
    clock: Clock,
}

impl Route for RequestEmailConfirmation {
    const NAME: &'static str = "request-email-confirmation";
    const ENDPOINT: Endpoint = post("/users/{id}/email-confirmation");
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            accounts: Directory::start(start.environment(), start.client())?,
            requests: MailRequests::start(start.environment(), start.client())?,
            limiter: RateLimiter::start(start.environment(), start.client())?,
            clock: start.clock(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Mails a token that confirms one's address")
            .who("the user")
            .accepted("A mail is on its way, unless the address is confirmed already.")
            .codes([Code::NotYourAccount, Code::TooManyAttempts, Code::Forbidden])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id = own_user(&call, "Only its user may confirm an account's address.")?;
        call.check_session().await?;
        let user = self.accounts.user(&id).await?.ok_or_else(|| call.absent_user(&id))?;
        call.check_epoch(user.session_epoch)?;
        let profile = user.profile.ok_or_else(|| call.absent_user(&id))?;
        if profile.is_confirmed {
            return Ok(Reply::accepted());
        }
        let now = self.clock.now();
        let kind = MailKind::EmailConfirmation;
        // By the address, whose account it ever is: it is its owner who is written to.
        self.limiter.count_mail(kind, profile.login.as_str(), now).await?.map_err(too_many_attempts)?;
        self.requests.put(kind, &MailRequest::new(Some(id), call.cause(), now)).await?;
        Ok(Reply::accepted())
    }
}
