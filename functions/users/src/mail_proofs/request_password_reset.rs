//! `POST /password-resets`: mails a token that sets another password to the address of an account.
//!
//! The answer, the calls and their time are the same whether the address has an account or not. What is asked for from
//! one network address is limited, and refused beyond that; what one account is sent is limited too, and beyond that
//! nothing is sent and nothing said, since a refusal would tell that somebody else has asked.

use shop_http::{Access, Call, Code, Contract, Edge, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, StartError};

use crate::accounts::registration::RegistrationBudget;
use crate::accounts::store::AccountStore;
use crate::attempts::{source, too_many_attempts};
use crate::credentials::blind_index::BlindIndex;
use crate::mail_proofs::fields::read_email;
use crate::mail_proofs::mail_request::{MailKind, MailRequest};
use crate::mail_proofs::store::MailRequests;
use crate::secrets::BlindIndexSource;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<RequestPasswordReset>();

pub(crate) struct RequestPasswordReset {
    accounts: AccountStore,
    requests: MailRequests,
    budget: RegistrationBudget,
    blind_index: BlindIndex,
    edge: Edge,
    clock: Clock,
}

impl Route for RequestPasswordReset {
    const NAME: &'static str = "request-password-reset";
    const ENDPOINT: Endpoint = post("/password-resets");
    const ACCESS: Access = Access::Public;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let edge = start.edge()?;
        let accounts = AccountStore::start(start.environment(), start.client())?;
        let requests = MailRequests::start(start.environment(), start.client())?;
        let budget = RegistrationBudget::start(start.environment(), start.client())?;
        let blind_index = BlindIndexSource::of(start.environment())?.read().await?;
        Ok(Self { accounts, requests, budget, blind_index, edge, clock: start.clock() })
    }

    fn contract() -> Contract {
        Contract::new("Mails a token that sets another password")
            .body(read_email)
            .accepted("If the address has an account, a mail is on its way.")
            .codes([Code::TooManyAttempts])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let email = read_email(call.body()?)?;
        let now = self.clock.now();
        let address = self.blind_index.attempts_from(source(call.source_address(&self.edge)));
        let RegistrationBudget { limiter, rate } = &self.budget;
        limiter.count_reset_from(&address, *rate, now).await?.map_err(too_many_attempts)?;
        let account = self.blind_index.attempts_on(&email);
        let kind = MailKind::PasswordReset;
        let has_room = limiter.count_mail(kind, &account, now).await?.is_ok();
        let login = self.accounts.login(&self.blind_index.login(&email)).await?;
        if let Some(login) = &login {
            call.audit("account", &login.user_id);
        }
        call.audit("mailed", if has_room { "yes" } else { "too_often" });
        if has_room {
            let request = MailRequest::new(login.map(|login| login.user_id), call.cause(), now);
            self.requests.put(kind, &request).await?;
        }
        Ok(Reply::accepted())
    }
}
