//! `PATCH /users/{id}`: a user changes the name, the e-mail address or the password. The last two need the
//! password as it is, and end every session. Another address is mailed a token that confirms it.
//!
//! It is for the user alone: an administrator, who may see the account, gets a 403. Wrong passwords are counted by
//! session, apart from those of logging in: no stranger's guess keeps a user from another password.

use shop_events::Cause;
use shop_http::{Access, Call, Code, Contract, Endpoint, FieldError, Problem, Reply, Route, Start, patch};
use shop_lambda::{Clock, Function, Random, StartError};

use crate::accounts::fields::UpdateRequest;
use crate::accounts::path::own_user;
use crate::accounts::proof::Prover;
use crate::accounts::store::{AccountStore, LoginChange, WriteOutcome};
use crate::accounts::user::{Changes, Profile, User, UserView};
use crate::attempts::rate_limiter::RateLimiter;
use crate::attempts::too_many_attempts;
use crate::credentials::blind_index::BlindIndex;
use crate::credentials::login::Login;
use crate::credentials::password::{Hasher, PasswordHash, RESEMBLES_ACCOUNT};
use crate::mail_proofs::mail_request::{MailKind, MailRequest};
use crate::mail_proofs::store::MailRequests;
use crate::secrets::BlindIndexSource;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<UpdateUser>();

pub(crate) struct UpdateUser {
    accounts: AccountStore,
    prover: Prover,
    requests: MailRequests,
    blind_index: BlindIndex,
    clock: Clock,
    random: Random,
}

impl Route for UpdateUser {
    const NAME: &'static str = "update-user";
    const ENDPOINT: Endpoint = patch("/users/{id}");
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let accounts = AccountStore::start(start.environment(), start.client())?;
        let prover = Prover {
            limiter: RateLimiter::start(start.environment(), start.client())?,
            hasher: Hasher::start(start.environment())?,
        };
        let blind_index = BlindIndexSource::of(start.environment())?;
        Ok(Self {
            accounts,
            prover,
            requests: MailRequests::start(start.environment(), start.client())?,
            blind_index: blind_index.read().await?,
            clock: start.clock(),
            random: start.random(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Changes one's own name, address or password")
            .who("the user")
            .body(UpdateRequest::read)
            .ok::<UserView<'_>>("The account as it is now.")
            .versioned()
            .conditional()
            .codes([Code::NotYourAccount, Code::EmailTaken, Code::TooManyAttempts, Code::Forbidden])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let absent = || Problem::not_found("user");
        let id = own_user(&call, "Only its user may change an account.")?;
        call.check_session().await?;
        let precondition = call.precondition()?;
        let request = UpdateRequest::read(call.body()?)?;
        call.audit("changes", &request.names());
        let (session, now) = (call.session.as_ref(), self.clock.now());
        if request.email.is_some() {
            // Whether an address is taken is answered, so that it cannot be asked of many.
            self.prover.limiter.count_address_change(&id, now).await?.map_err(too_many_attempts)?;
        }
        let mut is_mailed = None;
        let mut tries = self.accounts.tries();
        loop {
            let before = self.accounts.user(&id).await?.ok_or_else(|| call.absent_user(&id))?;
            call.check_epoch(before.session_epoch)?;
            precondition.check(before.version)?;
            check_password(&before, &request)?;
            let (mut proven, mut also) = (None, Vec::new());
            if let Some(current) = &request.current_password {
                let login = self.prover.prove(&self.accounts, &before, session, current, now).await?;
                proven = Some(Login { password: self.new_hash(&request, login.password)?, ..login });
                also.push(self.prover.limiter.give_back_proof(&id, session, now).into());
            }
            let (after, change) = self.change(&before, &request, proven.as_ref(), call.cause())?;
            let other = after.login().filter(|login| Some(*login) != before.login());
            if let Some(login) = other {
                // Whoever the address belongs to is not written to for each change: a confirmation can be asked for later.
                let kind = MailKind::EmailConfirmation;
                let has_room = match is_mailed {
                    Some(is_mailed) => is_mailed,
                    None => self.prover.limiter.count_mail(kind, login.as_str(), now).await?.is_ok(),
                };
                is_mailed = Some(has_room);
                if has_room {
                    let request = MailRequest::new(Some(id.clone()), call.cause(), now);
                    also.push(self.requests.write(kind, &request)?.into());
                }
            }
            match self.accounts.replace(&before, &after, change, None, also).await? {
                WriteOutcome::Done => {
                    let view = after.view().ok_or_else(absent)?;
                    return Reply::ok(&view)?.versioned(after.version);
                }
                WriteOutcome::EmailTaken(_) => {
                    // The password was right, though nothing was written with it.
                    self.prover.limiter.forget_proof(&id, session, now).await?;
                    let detail = "There is another account with this e-mail address.";
                    return Err(Problem::new(Code::EmailTaken, detail));
                }
                // The password may be another one now.
                WriteOutcome::Conflict
                | WriteOutcome::IdTaken(_)
                | WriteOutcome::LastAdministrator
                | WriteOutcome::Unauthorized => {}
            }
            tries.pause().await?;
        }
    }
}

/// A new password must not be the account's address or name, as they are or are to be; nor may these become the
/// password that stays.
fn check_password(before: &User, request: &UpdateRequest) -> Result<(), Problem> {
    let Some(profile) = &before.profile else { return Ok(()) };
    let Some(password) = &request.password else { return check_words(profile, request) };
    let email = request.email.as_ref().unwrap_or(&profile.email);
    let name = request.name.as_ref().unwrap_or(&profile.name);
    if password.resembles(email, name) || password.resembles(&profile.email, &profile.name) {
        let (code, detail) = RESEMBLES_ACCOUNT;
        let error = FieldError { pointer: "/password".to_owned(), code, detail: detail.to_owned() };
        return Err(Problem::invalid(vec![error]));
    }
    Ok(())
}

fn check_words(profile: &Profile, request: &UpdateRequest) -> Result<(), Problem> {
    let Some(stays) = &request.current_password else { return Ok(()) };
    let email = request.email.as_ref().filter(|email| stays.resembles(email, ""));
    let name = request.name.as_ref().filter(|name| stays.resembles(&profile.email, name));
    let pointers = [email.map(|_| "/email"), name.map(|_| "/name")];
    let code = RESEMBLES_ACCOUNT.0;
    let detail = "The password is little more than this. Change it as well.";
    let error = |pointer: &str| FieldError { pointer: pointer.to_owned(), code, detail: detail.to_owned() };
    let errors: Vec<_> = pointers.into_iter().flatten().map(error).collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

impl UpdateUser {
    fn new_hash(&self, request: &UpdateRequest, before: PasswordHash) -> Result<PasswordHash, Problem> {
        match &request.password {
            None => Ok(before),
            Some(password) => Ok(self.prover.hasher.hash(password, self.random.bytes())?),
        }
    }

    fn change(
        &self,
        before: &User,
        request: &UpdateRequest,
        login: Option<&Login>,
        cause: Cause,
    ) -> Result<(User, LoginChange), Problem> {
        let email = request.email.as_ref().map(|email| (email.clone(), self.blind_index.login(email)));
        let changes = Changes { name: request.name.clone(), email, password: request.password.is_some() };
        let replaces_login = request.email.is_some() || request.password.is_some();
        let after = before.changed(changes, cause, self.clock.now());
        match (replaces_login, login) {
            (false, _) => Ok((after, LoginChange::None)),
            (true, Some(login)) => Ok((after, LoginChange::Replace(login.clone()))),
            // The fields were read so that it cannot be: no proof, no change.
            (true, None) => Err(Problem::forbidden()),
        }
    }
}
