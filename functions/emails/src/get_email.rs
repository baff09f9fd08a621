//! `GET /emails/{id}`: a mail, and what it says: written anew from the order or the account as that is now, since neither
//! text nor address is kept. Administrators only.
//!
//! The tokens of mails that prove something are made when one is sent, by a function that may; here their place is marked.

use schemars::JsonSchema;
use serde::Serialize;
use shop_events::EmailTemplate;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};
use shop_types::EmailId;

use crate::email::{Email, EmailView};
use crate::letter::Letter;
use crate::settings::Shop;
use crate::store::Store;
use crate::writer::Writer;

/// What stands in the place of a token.
const HIDDEN: &str = "--------";

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetEmail>();

pub(crate) struct GetEmail {
    store: Store,
    writer: Writer,
}

/// A mail with what it says.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EmailWithLetter")]
struct Shown<'a> {
    email: EmailView<'a>,
    /// None where the order or the account is no more.
    letter: Option<LetterView>,
}

/// What a mail would say if it were sent now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Letter")]
struct LetterView {
    subject: String,
    /// The part for who reads no HTML.
    text: String,
    html: String,
}

impl Route for GetEmail {
    const NAME: &'static str = "get-email";
    const ENDPOINT: Endpoint = get("/emails/{id}");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let shop = Shop::start(start.environment())?;
        Ok(Self {
            store: Store::start(start.environment(), start.client())?,
            writer: Writer::start(start.environment(), start.client(), shop)?,
        })
    }

    fn contract() -> Contract {
        Contract::new("Shows a mail, and what it would say if it were sent now")
            .ok::<Shown<'_>>("The mail. The place of a token is marked: it is in what was sent alone.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: EmailId = call.id("email")?;
        let email = self.store.find(&id).await?.ok_or_else(|| Problem::not_found("email"))?;
        let letter = self.letter(&email).await?;
        Reply::ok(&Shown { email: email.view(), letter: letter.map(LetterView::from) })
    }
}

impl GetEmail {
    async fn letter(&self, email: &Email) -> Result<Option<Letter>, Problem> {
        let contact = match &email.user_id {
            Some(user) => self.writer.contact(user).await?,
            None => None,
        };
        let letter = match (&email.order_id, contact) {
            (Some(id), contact) => {
                let Some(order) = self.writer.order(id).await? else { return Ok(None) };
                let name = contact.as_ref().map(|contact| contact.name.as_str());
                self.writer.about_order(email.template, &order, name)
            }
            (None, Some(contact)) => {
                // Who has confirmed the address before the welcome was sent has nothing to confirm.
                let proves = email.template != EmailTemplate::Welcome || !contact.is_confirmed;
                self.writer.about_account(email.template, &contact, proves.then_some(HIDDEN))
            }
            (None, None) => return Ok(None),
        };
        letter.map(Some).map_err(Problem::internal)
    }
}

impl From<Letter> for LetterView {
    fn from(Letter { subject, text, html }: Letter) -> Self {
        Self { subject, text, html }
    }
}
