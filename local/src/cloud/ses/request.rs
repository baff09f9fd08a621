//! The one operation of SES that the shop calls: `SendEmail`, with content that SES makes the MIME of.

use serde::Deserialize;
use shop_types::EmailAddress;

use super::SentMail;
use crate::cloud::AwsError;

/// The path of the operation (`POST`).
pub(in crate::cloud) const PATH: &str = "/v2/email/outbound-emails";
/// SES's limits (<https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html> and the pages below it).
const MAX_RECIPIENTS: usize = 50;
const MAX_TAGS: usize = 50;
const MAX_TAG_LENGTH: usize = 256;
const MAX_HEADERS: usize = 15;
const MAX_HEADER_NAME: usize = 126;
const MAX_HEADER_VALUE: usize = 870;
const MAX_BYTES: usize = 40 * 1024 * 1024;
/// What SES writes itself.
const OWN_HEADERS: [&str; 9] =
    ["bcc", "cc", "content-type", "date", "from", "message-id", "mime-version", "subject", "to"];

/// A message to be sent.
#[derive(Debug)]
pub(in crate::cloud) struct Request {
    /// The address that it is sent from, without a name.
    pub(super) sender: String,
    pub(super) configuration_set: Option<String>,
    /// The message, as yet without an id and a time.
    pub(super) mail: SentMail,
    tags: Vec<Pair>,
    bytes: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    from_email_address: Option<String>,
    destination: Option<Addresses>,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Pair>,
    configuration_set_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Addresses {
    #[serde(default)]
    to_addresses: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Content {
    simple: Simple,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Simple {
    subject: Text,
    body: Parts,
    #[serde(default)]
    headers: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parts {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Text {
    data: String,
    charset: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Pair {
    name: String,
    value: String,
}

impl Request {
    pub(in crate::cloud) fn parse(body: &[u8]) -> Result<Self, AwsError> {
        let bytes = body.len();
        let body: Body = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
        let from = body.from_email_address.ok_or_else(|| bad("Source must not be empty"))?;
        let to = body.destination.map(|destination| destination.to_addresses).unwrap_or_default();
        let Simple { subject, body: parts, headers } = body.content.simple;
        let tags = body.email_tags.iter().map(|tag| (tag.name.clone(), tag.value.clone())).collect();
        Ok(Self {
            sender: address_in(&from)?,
            configuration_set: body.configuration_set_name,
            mail: SentMail {
                message_id: String::new(),
                time: 0,
                from,
                to,
                subject: subject.read()?,
                text: parts.text.map(Text::read).transpose()?,
                html: parts.html.map(Text::read).transpose()?,
                headers: headers.into_iter().map(|header| (header.name, header.value)).collect(),
                tags,
            },
            tags: body.email_tags,
            bytes,
        })
    }

    /// What SES refuses of a message, whoever sends it.
    pub(super) fn check(&self) -> Result<(), AwsError> {
        let SentMail { to, subject, text, html, headers, .. } = &self.mail;
        if to.is_empty() || to.len() > MAX_RECIPIENTS {
            return Err(bad(format!("Recipient count must be between 1 and {MAX_RECIPIENTS}.")));
        }
        if to.iter().any(|address| address.parse::<EmailAddress>().is_err()) {
            return Err(bad("Domain contains illegal character or local part is not ASCII"));
        }
        if subject.is_empty() || subject.chars().any(char::is_control) {
            return Err(bad("The subject must not be empty, and has no control characters."));
        }
        if text.is_none() && html.is_none() {
            return Err(bad("The body must have a text or an HTML part."));
        }
        if self.bytes > MAX_BYTES {
            return Err(bad("The message is too large."));
        }
        if headers.len() > MAX_HEADERS || !headers.iter().all(|(name, value)| is_header(name, value)) {
            return Err(bad("A header is not valid."));
        }
        let is_word = |text: &str| {
            (1..=MAX_TAG_LENGTH).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        let are_words = self.tags.iter().all(|tag| is_word(&tag.name) && is_word(&tag.value));
        if self.tags.len() > MAX_TAGS || !are_words || self.mail.tags.len() < self.tags.len() {
            return Err(bad("A message tag is not valid, or is given twice."));
        }
        Ok(())
    }
}

impl Text {
    fn read(self) -> Result<String, AwsError> {
        match self.charset.as_deref() {
            None if !self.data.is_ascii() => {
                Err(bad("The data is not 7-bit ASCII, and no charset is given."))
            }
            None | Some("UTF-8") => Ok(self.data),
            Some(_) => Err(bad("The charset is not known here.")),
        }
    }
}

fn is_header(name: &str, value: &str) -> bool {
    let is_name = (1..=MAX_HEADER_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
        && !OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str());
    is_name
        && (1..=MAX_HEADER_VALUE).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// The address of `name <address>`, or of an address alone. SES wants the name in ASCII, encoded where it is not.
fn address_in(from: &str) -> Result<String, AwsError> {
    if !from.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(bad("Local address contains control or non-ASCII characters"));
    }
    let address = match from.strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<').map(|(_, address)| address),
        None => Some(from),
    };
    let address = address.filter(|address| address.parse::<EmailAddress>().is_ok());
    address.map(str::to_owned).ok_or_else(|| bad("Missing final '@domain'"))
}

fn bad(message: impl Into<String>) -> AwsError {
    AwsError::client("BadRequestException", message)
}
