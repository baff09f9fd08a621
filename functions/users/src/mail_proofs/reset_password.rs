//! `POST /password-resets/complete`: sets another password by the token that was mailed for it. It ends every session,
//! confirms the address, and uses the token up.

use shop_auth::{MailToken, Purpose, ServiceSecret};
use shop_http::{Access, Call, Code, Contract, Endpoint, FieldError, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, Random, StartError};

use crate::accounts::store::{AccountStore, LoginChange, WriteOutcome};
use crate::credentials::login::Login;
use crate::credentials::password::{Hasher, RESEMBLES_ACCOUNT};
use crate::mail_proofs::fields::NewPassword;
use crate::mail_proofs::mail_request::MailKind;
use crate::mail_proofs::store::MailRequests;
use crate::mail_proofs::{KEYS_TABLE, invalid_token, proves};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ResetPassword>();

pub(crate) struct ResetPassword {
    accounts: AccountStore,
    requests: MailRequests,
    secret: ServiceSecret,
    hasher: Hasher,
    clock: Clock,
    random: Random,
}

impl Route for ResetPassword {
    const NAME: &'static str = "reset-password";
    const ENDPOINT: Endpoint = post("/password-resets/complete");
    const ACCESS: Access = Access::Public;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            accounts: AccountStore::start(start.environment(), start.client())?,
            requests: MailRequests::start(start.environment(), start.client())?,
            secret: start.service_secret(KEYS_TABLE)?,
            hasher: Hasher::start(start.environment())?,
            clock: start.clock(),
            random: start.random(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Sets another password")
            .who("who has the token of a mail")
            .body(NewPassword::read)
            .no_content("It is set, every session has ended, and the address is confirmed.")
            .codes([Code::InvalidMailToken])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let NewPassword { token, password } = NewPassword::read(call.body()?)?;
        let token: MailToken = token.parse().map_err(|_| invalid_token())?;
        let mut hash = None;
        let mut tries = self.accounts.tries();
        loop {
            let now = self.clock.now();
            let (before, request) = self.requests.find(MailKind::PasswordReset, token.user()).await?;
            let (Some(before), Some(request)) = (before, request) else { return Err(invalid_token()) };
            let Some(profile) = &before.profile else { return Err(invalid_token()) };
            let request = i64::try_from(request.version).map_err(|_| invalid_token())?;
            let purpose = Purpose::ResetPassword { epoch: before.session_epoch, request };
            if !proves(&self.secret, &token, purpose, now).await? {
                return Err(invalid_token());
            }
            call.audit("account", &before.id);
            if password.resembles(&profile.email, &profile.name) {
                let (code, detail) = RESEMBLES_ACCOUNT;
                let error = FieldError { pointer: "/password".to_owned(), code, detail: detail.to_owned() };
                return Err(Problem::invalid(vec![error]));
            }
            // Once, and for nobody without a token: it takes as long as a hundred other requests.
            let new = match hash.take() {
                Some(new) => new,
                None => self.hasher.hash(&password, self.random.bytes())?,
            };
            if let Some(login) =
                self.accounts.login(&profile.login).await?.filter(|login| login.user_id == before.id)
            {
                let change = LoginChange::Replace(Login { password: new.clone(), ..login });
                let after = before.confirmed(true, call.cause(), now);
                if let WriteOutcome::Done =
                    self.accounts.replace(&before, &after, change, None, Vec::new()).await?
                {
                    return Ok(Reply::no_content());
                }
            }
            hash = Some(new);
            // The account changed in between: its epoch may be another one, and the token worth nothing any more.
            tries.pause().await?;
        }
    }
}
