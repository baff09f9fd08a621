//! The proof of a password by somebody who is logged in already.

use shop_auth::SessionId;
use shop_http::{FieldCode, FieldError, Problem};
use shop_types::Timestamp;

use crate::accounts::store::AccountStore;
use crate::accounts::user::User;
use crate::attempts::rate_limiter::RateLimiter;
use crate::attempts::too_many_attempts;
use crate::credentials::login::Login;
use crate::credentials::password::{Hasher, Password, PasswordCheck};

/// Proves the current password within a session, of a caller who holds a token: strangers' guesses do not count here.
pub(crate) struct Prover {
    pub(crate) limiter: RateLimiter,
    pub(crate) hasher: Hasher,
}

impl Prover {
    /// The user's login, if the password is right.
    ///
    /// # Errors
    /// 422 where it is wrong, 429 after too many wrong ones, 503 where the account changed meanwhile.
    pub(crate) async fn prove(
        &self,
        accounts: &AccountStore,
        user: &User,
        session: Option<&SessionId>,
        password: &Password,
        now: Timestamp,
    ) -> Result<Login, Problem> {
        let Some(profile) = &user.profile else { return Err(Problem::not_found("user")) };
        // Before any work is done, so that no number of attempts at once gets more.
        self.limiter.count_proof(&user.id, session, now).await?.map_err(too_many_attempts)?;
        let login = accounts.login(&profile.login).await?;
        let Some(login) = login.filter(|login| login.user_id == user.id) else {
            // Deleted, or moved to another address, between the two reads.
            return Err(Problem::contended());
        };
        match self.hasher.verify(password, Some(&login.password))? {
            PasswordCheck::Right | PasswordCheck::RightAndWeak => Ok(login),
            PasswordCheck::Wrong => {
                let pointer = "/current_password".to_owned();
                let detail = "This is not the password of the account.".to_owned();
                Err(Problem::invalid(vec![FieldError { pointer, code: FieldCode::WrongPassword, detail }]))
            }
        }
    }
}
