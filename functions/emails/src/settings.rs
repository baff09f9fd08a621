//! What the shop has decided about its mails: from whom, and which of them.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use shop_events::EmailTemplate;
use shop_lambda::{Environment, StartError};
use shop_types::EmailAddress;

use crate::email::{Reason, TEMPLATES, template_name};
use crate::letter::visible;

/// The shop, as its mails show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shop {
    pub(crate) name: String,
    /// Where it is on the web, if it says so.
    pub(crate) url: Option<String>,
}

impl Shop {
    /// `SHOP_NAME` and `SHOP_URL`.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            name: visible(environment.required("SHOP_NAME")?),
            url: environment.optional("SHOP_URL")?.map(|url| url.trim_end_matches('/').to_owned()),
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) shop: Shop,
    /// The `From` header; none where the shop sends no mails.
    pub(crate) from: Option<String>,
    pub(crate) configuration_set: Option<String>,
    switched_off: BTreeSet<EmailTemplate>,
}

impl Settings {
    /// `EMAIL_FROM`, `EMAIL_CONFIGURATION_SET`, `EMAILS_SWITCHED_OFF`, `SHOP_NAME` and `SHOP_URL`.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let shop = Shop::start(environment)?;
        let invalid = |name: &str, expected| StartError::InvalidVariable { name: name.to_owned(), expected };
        let from = environment.optional("EMAIL_FROM")?.map(str::parse::<EmailAddress>).transpose();
        let from = from.map_err(|_| invalid("EMAIL_FROM", "an e-mail address"))?;
        let names = environment.optional("EMAILS_SWITCHED_OFF")?.unwrap_or_default();
        let template = |name: &str| TEMPLATES.into_iter().find(|template| template_name(*template) == name);
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        let switched_off = names.map(template).collect::<Option<_>>();
        Ok(Self {
            from: from.map(|address| format!("{} <{}>", display_name(&shop.name), address.as_str())),
            shop,
            configuration_set: environment.optional("EMAIL_CONFIGURATION_SET")?.map(str::to_owned),
            switched_off: switched_off
                .ok_or_else(|| invalid("EMAILS_SWITCHED_OFF", "a list of names of templates"))?,
        })
    }

    /// Why no mail of a template is sent at all, if none is.
    #[must_use]
    pub(crate) fn leaves_out(&self, template: EmailTemplate) -> Option<Reason> {
        if self.from.is_none() {
            Some(Reason::NoSender)
        } else if self.switched_off.contains(&template) {
            Some(Reason::SwitchedOff)
        } else {
            None
        }
    }
}

/// A name as a header has it: quoted (RFC 5322 section 3.2.4), or encoded where it is not ASCII (RFC 2047).
fn display_name(name: &str) -> String {
    if name.is_ascii() {
        return format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    }
    // An encoded word has 75 characters at most, which is 45 bytes; none may end within a character.
    let mut words: Vec<String> = vec![String::new()];
    for c in name.chars() {
        if let Some(word) = words.last_mut().filter(|word| word.len() + c.len_utf8() <= 45) {
            word.push(c);
        } else {
            words.push(c.to_string());
        }
    }
    let words: Vec<_> =
        words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word.as_bytes()))).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shop_lambda::Random;

    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, StartError> {
        let empty = ["SHOP_URL", "EMAIL_CONFIGURATION_SET", "EMAILS_SWITCHED_OFF"].map(|name| (name, ""));
        let named = [("SHOP_NAME", "The shop"), ("EMAIL_FROM", "mail@shop.example")];
        let named = named.into_iter().chain(empty);
        let all: BTreeMap<_, _> =
            named.chain(variables.iter().copied()).map(|(name, value)| (name.into(), value.into())).collect();
        let sdk = aws_types::SdkConfig::builder().build();
        Settings::start(&Environment::new(all, sdk, Random::system()))
    }

    #[test]
    fn a_shop_without_a_sender_and_a_template_that_is_switched_off_send_nothing() {
        let off = settings(&[("EMAILS_SWITCHED_OFF", "welcome, order_rejection,")]).unwrap();
        for template in TEMPLATES {
            let is_off = [EmailTemplate::Welcome, EmailTemplate::OrderRejection].contains(&template);
            assert_eq!(off.leaves_out(template), is_off.then_some(Reason::SwitchedOff), "{template:?}");
            let nobody = settings(&[("EMAIL_FROM", "")]).unwrap();
            assert_eq!(nobody.leaves_out(template), Some(Reason::NoSender));
        }
        for bad in [("EMAILS_SWITCHED_OFF", "welcome,newsletter"), ("EMAIL_FROM", "nobody")] {
            assert!(settings(&[bad]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_name_of_the_shop_is_a_header_s_whatever_it_is() {
        let from = |name: &str| settings(&[("SHOP_NAME", name)]).unwrap().from.unwrap();
        assert_eq!(from("The shop"), "\"The shop\" <mail@shop.example>");
        assert_eq!(from("A \"b\" \\ <c>"), "\"A \\\"b\\\" \\\\ <c>\" <mail@shop.example>");
        assert_eq!(from("Käse"), "=?UTF-8?B?S8Okc2U=?= <mail@shop.example>");
        assert_eq!(from("a\r\nBcc: eve@example.com"), "\"aBcc: eve@example.com\" <mail@shop.example>");
        let long = from(&"ü".repeat(60));
        assert!(long.is_ascii() && long.split(' ').all(|word| word.len() <= 75), "{long}");
    }
}
