//! `POST /email-confirmations`: confirms an account's address by the token that was mailed to it. Once confirmed, the same
//! token changes nothing and is answered alike: a mail's link is opened twice by those who preview it.

use shop_auth::{MailToken, Purpose, ServiceSecret};
use shop_http::{Access, Call, Code, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, StartError};

use crate::accounts::store::{AccountStore, LoginChange, WriteOutcome};
use crate::mail_proofs::fields::read_token;
use crate::mail_proofs::{KEYS_TABLE, invalid_token, proves};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ConfirmEmail>();

pub(crate) struct ConfirmEmail {
    accounts: AccountStore,
    secret: ServiceSecret,
    clock: Clock,
}

impl Route for ConfirmEmail {
    const NAME: &'static str = "confirm-email";
    const ENDPOINT: Endpoint = post("/email-confirmations");
    const ACCESS: Access = Access::Public;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let accounts = AccountStore::start(start.environment(), start.client())?;
        Ok(Self { accounts, secret: start.service_secret(KEYS_TABLE)?, clock: start.clock() })
    }

    fn contract() -> Contract {
        Contract::new("Confirms the address of an account")
            .who("who has the token of a mail")
            .body(read_token)
            .no_content("It is confirmed.")
            .codes([Code::InvalidMailToken])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let token = read_token(call.body()?)?;
        let token: MailToken = token.parse().map_err(|_| invalid_token())?;
        let mut tries = self.accounts.tries();
        loop {
            let now = self.clock.now();
            let before = self.accounts.user(token.user()).await?;
            let profile = before.as_ref().and_then(|user| user.profile.as_ref());
            let (Some(before), Some(profile)) = (&before, profile) else { return Err(invalid_token()) };
            if !proves(&self.secret, &token, Purpose::ConfirmEmail(&profile.email), now).await? {
                return Err(invalid_token());
            }
            call.audit("account", &before.id);
            if profile.is_confirmed {
                return Ok(Reply::no_content());
            }
            let after = before.confirmed(false, call.cause(), now);
            match self.accounts.replace(before, &after, LoginChange::None, None, Vec::new()).await? {
                WriteOutcome::Done => return Ok(Reply::no_content()),
                // The address may be another one now.
                WriteOutcome::Conflict
                | WriteOutcome::EmailTaken(_)
                | WriteOutcome::IdTaken(_)
                | WriteOutcome::LastAdministrator
                | WriteOutcome::Unauthorized => tries.pause().await?,
            }
        }
    }
}
