//! `/mailbox`: what the shop has written to people, for who develops it: a list, and a page of each mail.
//!
//! The mails are SES's: the embedded one's, or an emulator's. Nothing of them is trusted: HTML is shown in a frame without
//! scripts, forms or an origin, and everything else is escaped.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Response};
use serde::Deserialize;
use serde_json::Value;
use shop_types::Timestamp;

use crate::cloud::SentMail;

/// Where the list is; each mail is below it, by its id.
pub(super) const PATH: &str = "/mailbox";
/// Styles are inlined in mails and in these pages; nothing is loaded, and nothing runs.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");

/// What of the mailbox a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    List,
    /// The mail of an id.
    Mail(&'a str),
}

/// What a path asks for, if it is one of the mailbox's.
pub(super) fn asked(path: &str) -> Option<Asked<'_>> {
    match path.strip_prefix(PATH)? {
        "" => Some(Asked::List),
        rest => rest.strip_prefix('/').map(Asked::Mail),
    }
}

/// The list of mails, the newest first.
pub(super) fn list(mails: &[SentMail]) -> Response<Bytes> {
    let mut rows = String::new();
    for mail in mails.iter().rev() {
        // Writing to a string cannot fail.
        let _: fmt::Result = write!(
            rows,
            "<tr><td>{}</td><td>{}</td><td><a href=\"{PATH}/{}\">{}</a></td></tr>",
            time(mail),
            escaped(&mail.to.join(", ")),
            escaped(&mail.message_id),
            escaped(&mail.subject),
        );
    }
    if rows.is_empty() {
        rows.push_str("<tr><td colspan=\"3\">Nothing was sent yet.</td></tr>");
    }
    let table = format!("<table><tr><th>Sent</th><th>To</th><th>Subject</th></tr>{rows}</table>");
    page("Mailbox", &format!("<h1>Mailbox</h1><p>Nothing of it leaves this machine.</p>{table}"))
}

/// The page of a mail, if there is one of this id.
pub(super) fn mail(mails: &[SentMail], id: &str) -> Option<Response<Bytes>> {
    let mail = mails.iter().find(|mail| mail.message_id == id)?;
    let headers = [("From", mail.from.clone()), ("To", mail.to.join(", ")), ("Sent", time(mail))];
    let own = mail.headers.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let tags = mail.tags.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let mut rows = String::new();
    for (name, value) in headers.into_iter().chain(own).chain(tags) {
        // As above.
        let _: fmt::Result = write!(rows, "<tr><th>{}</th><td>{}</td></tr>", escaped(name), escaped(&value));
    }
    let html = mail.html.as_ref().map(|html| {
        format!("<h2>HTML</h2><iframe sandbox=\"\" title=\"The mail\" srcdoc=\"{}\"></iframe>", escaped(html))
    });
    let text = mail.text.as_ref().map(|text| format!("<h2>Text</h2><pre>{}</pre>", escaped(text)));
    let body = format!(
        "<p><a href=\"{PATH}\">Mailbox</a></p><h1>{}</h1><table>{rows}</table>{}{}",
        escaped(&mail.subject),
        html.unwrap_or_default(),
        text.unwrap_or_default(),
    );
    Some(page(&mail.subject, &body))
}

fn page(title: &str, body: &str) -> Response<Bytes> {
    const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:24px auto;max-width:960px;padding:0 16px;\
        color:#22201c}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:6px 12px 6px 0;\
        border-bottom:1px solid #e2e0d9;vertical-align:top}iframe{width:100%;height:720px;border:1px solid #e2e0d9}\
        pre{white-space:pre-wrap;background:#f4f4f1;padding:16px}";
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style></head>\
         <body>{body}</body></html>",
        escaped(title)
    );
    let mut response = Response::new(Bytes::from(page));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}

fn time(mail: &SentMail) -> String {
    Timestamp::from_millis(mail.time).to_string()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// What MiniStack says it has taken, by account.
#[derive(Deserialize)]
struct Outbox {
    messages: BTreeMap<String, Vec<Message>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    #[serde(rename = "MessageId")]
    id: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    to: Vec<String>,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    body_text: Option<String>,
    #[serde(default)]
    body_html: Option<String>,
    /// Seconds since the epoch, with a fraction.
    #[serde(default)]
    timestamp: Value,
}

/// Reads MiniStack's outbox (`/_ministack/ses/messages`), the newest last.
pub(super) fn of_ministack(body: &[u8]) -> serde_json::Result<Vec<SentMail>> {
    let outbox: Outbox = serde_json::from_slice(body)?;
    let mail = |message: Message| SentMail {
        message_id: message.id,
        time: seconds(&message.timestamp).saturating_mul(1000),
        from: message.source,
        to: message.to,
        subject: message.subject,
        text: message.body_text.filter(|text| !text.is_empty()),
        html: message.body_html.filter(|html| !html.is_empty()),
        headers: Vec::new(),
        tags: BTreeMap::new(),
    };
    let mut mails: Vec<_> = outbox.messages.into_values().flatten().map(mail).collect();
    mails.sort_by_key(|mail| mail.time);
    Ok(mails)
}

/// The whole seconds of a number, however it is written.
fn seconds(timestamp: &Value) -> i64 {
    let text = timestamp.as_str().map_or_else(|| timestamp.to_string(), str::to_owned);
    text.split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> SentMail {
        SentMail {
            message_id: "m-1".into(),
            time: 0,
            from: "shop@example.com".into(),
            to: vec!["ada@example.com".into()],
            subject: "<b>Hello".into(),
            text: Some("a < b".into()),
            html: Some("<p title=\"x\">Hi<script>alert(1)</script>".into()),
            headers: vec![("Auto-Submitted".into(), "auto-generated".into())],
            tags: [("attempt".to_owned(), "1".to_owned())].into(),
        }
    }

    fn text(response: &Response<Bytes>) -> String {
        String::from_utf8(response.body().to_vec()).unwrap()
    }

    #[test]
    fn paths_of_the_mailbox_are_told_from_others() {
        for (path, expected) in [
            ("/mailbox", Some(Asked::List)),
            ("/mailbox/m-1", Some(Asked::Mail("m-1"))),
            ("/mailboxes", None),
            ("/", None),
            ("/orders/mailbox", None),
        ] {
            assert_eq!(asked(path), expected, "{path}");
        }
    }

    #[test]
    fn a_mail_is_shown_and_runs_nothing() {
        let listed = text(&list(&[sent()]));
        assert!(listed.contains("<a href=\"/mailbox/m-1\">&lt;b&gt;Hello</a>"), "{listed}");
        let response = mail(&[sent()], "m-1").unwrap();
        assert_eq!(response.headers()[CONTENT_SECURITY_POLICY], POLICY);
        let shown = text(&response);
        assert!(shown.contains("srcdoc=\"&lt;p title=&quot;x&quot;&gt;Hi&lt;script&gt;"), "{shown}");
        assert!(shown.contains("sandbox=\"\"") && !shown.contains("<script"), "{shown}");
        assert!(shown.contains("<pre>a &lt; b</pre>") && shown.contains("auto-generated"));
        assert!(mail(&[sent()], "m-2").is_none());
        assert!(text(&list(&[])).contains("Nothing was sent yet"));
    }

    #[test]
    fn the_emulator_s_outbox_is_read() {
        let outbox = br#"{"messages": {"000000000000": [{"MessageId": "a", "Source": "s@example.com", "To": ["t@example.com"],
            "Subject": "Hello", "BodyText": "Hi", "BodyHtml": "", "Timestamp": 1795446000.25, "Type": "SendEmail"}]}}"#;
        let mails = of_ministack(outbox).unwrap();
        assert_eq!((mails.len(), mails[0].time, mails[0].html.as_deref()), (1, 1_795_446_000_000, None));
        assert_eq!(mails[0].text.as_deref(), Some("Hi"));
        assert!(of_ministack(b"not json").is_err());
    }
}
