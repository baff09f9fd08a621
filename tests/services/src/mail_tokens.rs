//! Tokens as a mail has them: made with the secret that the e-mail service reads, of what it would read.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use shop_auth::{MailTokenKey, Purpose, ServiceSecret};
use shop_lambda::Random;
use shop_types::Timestamp;

use crate::{Account, Item, Service};

impl Service {
    /// What makes the tokens.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn mail_token_key(&self) -> Result<MailTokenKey> {
        let client = Client::new(&self.cloud.sdk_config("test"));
        let table = self.cloud.physical("MailKeysTable").context("the table of the secret")?;
        let secret = ServiceSecret::new(client, table, Random::system()).get_or_make().await?;
        Ok(MailTokenKey::from_secret(&secret)?)
    }

    /// The token that confirms somebody's address, asked for at a time.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn confirmation_token(&self, account: &Account, asked_at: Timestamp) -> Result<String> {
        let address = account.email.parse()?;
        let purpose = Purpose::ConfirmEmail(&address);
        Ok(self.mail_token_key().await?.issue(account.id.parse()?, purpose, asked_at).reveal())
    }

    /// The token of the last request for another password, if there has been one.
    ///
    /// # Errors
    /// When the tables or the secret cannot be read.
    pub async fn reset_token(&self, account: &Account) -> Result<Option<String>> {
        let items = self.items("UsersTable").await?;
        let of =
            |sk: &str| items.iter().find(|item| text(item, "pk") == account.id && text(item, "sk") == sk);
        let Some(request) = of("password-reset") else { return Ok(None) };
        let number = |item: &Item, name: &str| -> Result<i64> {
            let number = item.get(name).and_then(|value| value.as_n().ok()).context("a number")?;
            Ok(number.parse()?)
        };
        let epoch = number(of("account").context("the account")?, "session_epoch")?.try_into()?;
        let request = number(request, "version")?;
        let purpose = Purpose::ResetPassword { epoch, request };
        let token =
            self.mail_token_key().await?.issue(account.id.parse()?, purpose, Timestamp::from_millis(request));
        Ok(Some(token.reveal()))
    }
}

fn text<'i>(item: &'i Item, name: &str) -> &'i str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}
