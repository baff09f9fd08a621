//! `PATCH /users/{id}`: a user changes the name, the e-mail address or the password. The last two need the
//! password as it is, and another password ends every session.
//!
//! It is for the user alone: an administrator, who may see the account, gets a 403. A wrong password is an
//! attempt on the account like those of logging in, and is counted with them.
//!
//! Needs `dynamodb:GetItem` and `PutItem` on the users table, `GetItem`, `PutItem`, `UpdateItem` and
//! `DeleteItem` on the sessions table, `GetItem` on the key table, and the lookup secret.

use aws_sdk_dynamodb::Client;
use shop_events::Cause;
use shop_http::{Access, Call, FieldError, Problem, Reply, Route};
use shop_lambda::{Clock, Function, Random};

use crate::account::{Changes, User};
use crate::create_session::too_many_attempts;
use crate::fields::Wishes;
use crate::get_user_stats::named_user;
use crate::lookup::Lookup;
use crate::password::{Hasher, PasswordHash, Verdict};
use crate::registration::TRIES;
use crate::secrets::LookupSource;
use crate::store::accounts::{AccountStore, Login, LoginChange, Written};
use crate::store::attempts::{AttemptStore, Window};

/// The function.
pub const FUNCTION: Function = Function::new(UpdateUser::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let accounts = AccountStore::start(&environment, client.clone())?;
        let attempts = AttemptStore::start(&environment, client.clone())?;
        let hasher = Hasher::start(&environment)?;
        let lookup = LookupSource::of(&environment)?;
        let route = UpdateUser {
            accounts,
            attempts,
            hasher,
            lookup: lookup.read().await?,
            clock: environment.clock(),
            random: environment.random(),
        };
        shop_http::start(route, &environment, &client).await
    })
});

struct UpdateUser {
    accounts: AccountStore,
    attempts: AttemptStore,
    hasher: Hasher,
    lookup: Lookup,
    clock: Clock,
    random: Random,
}

impl Route for UpdateUser {
    const NAME: &'static str = "update-user";
    const ACCESS: Access = Access::SignedIn;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let absent = || Problem::not_found("user");
        let id = named_user(&call).ok_or_else(absent)?;
        if !call.principal.is_user(&id) {
            // Who is no administrator learns nothing of others; what a token claims decides nothing here.
            if !call.principal.claims_admin() {
                return Err(absent());
            }
            return Err(Problem::new(
                Problem::forbidden().status(),
                "not_your_account",
                "Only its user may change an account.",
            ));
        }
        let precondition = call.precondition()?;
        let wishes = Wishes::read(call.body()?)?;
        let mut proven = None;
        for _ in 0..TRIES {
            let before = self.accounts.user(&id).await?.ok_or_else(absent)?;
            precondition.check(before.version)?;
            let login = match (&proven, &wishes.current_password) {
                (_, None) => None,
                (Some(hash), Some(_)) => Some(hash),
                (None, Some(_)) => Some(&*proven.insert(self.prove(&before, &wishes).await?)),
            };
            let (after, change) = self.change(&before, &wishes, login, call.cause())?;
            match self.accounts.replace(&before, &after, change).await? {
                Written::Done => {
                    let view = after.view().ok_or_else(absent)?;
                    return Reply::ok(&view)?.versioned(after.version);
                }
                Written::Taken(_) => {
                    let detail = "There is another account with this e-mail address.";
                    return Err(Problem::conflict("email_taken", detail));
                }
                // The password may be another one now.
                Written::Outrun => proven = None,
            }
        }
        Err(Problem::contended())
    }
}

impl UpdateUser {
    /// The login, if the current password is right; the new password's hash in it, where there is one.
    async fn prove(&self, user: &User, wishes: &Wishes) -> Result<Login, Problem> {
        let window = Window::at(self.clock.now());
        let (Some(profile), Some(current)) = (&user.profile, &wishes.current_password) else {
            return Err(Problem::not_found("user"));
        };
        if !self.attempts.may_try(&self.lookup.attempts_on(&profile.email), window).await? {
            return Err(too_many_attempts(window));
        }
        let login = self.accounts.login(&profile.login).await?;
        let Some(login) = login.filter(|login| login.user_id == user.id) else {
            // Deleted, or moved to another address, between the two reads.
            return Err(Problem::contended());
        };
        match self.hasher.verify(current, Some(&login.password))? {
            Verdict::Right | Verdict::RightAndWeak => {
                Ok(Login { password: self.new_hash(wishes, login.password)?, ..login })
            }
            Verdict::Wrong => {
                let pointer = "/current_password".to_owned();
                let detail = "This is not the password of the account.".to_owned();
                Err(Problem::invalid(vec![FieldError { pointer, code: "wrong_password", detail }]))
            }
        }
    }

    fn new_hash(&self, wishes: &Wishes, before: PasswordHash) -> Result<PasswordHash, Problem> {
        match &wishes.password {
            None => Ok(before),
            Some(password) => Ok(self.hasher.hash(password, self.random.bytes())?),
        }
    }

    fn change(
        &self,
        before: &User,
        wishes: &Wishes,
        login: Option<&Login>,
        cause: Cause,
    ) -> Result<(User, LoginChange), Problem> {
        let email = wishes.email.as_ref().map(|email| (email.clone(), self.lookup.login(email)));
        let changes = Changes { name: wishes.name.clone(), email, password: wishes.password.is_some() };
        let replaces_login = wishes.email.is_some() || wishes.password.is_some();
        let after = before.changed(changes, cause, self.clock.now());
        match (replaces_login, login) {
            (false, _) => Ok((after, LoginChange::None)),
            (true, Some(login)) => Ok((after, LoginChange::Replace(login.clone()))),
            // The fields were read so that it cannot be: no proof, no change.
            (true, None) => Err(Problem::forbidden()),
        }
    }
}
