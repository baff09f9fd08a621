use shop_events::RejectionReason;
use shop_types::Currency;

use super::*;
use crate::email::TEMPLATES;
use crate::email::tests::order_id;

const TOKEN: &str = "ce1.usr_1.17.c2lnbmVk";

fn shop() -> Shop {
    Shop { name: "Mugs & more".to_owned(), url: Some("https://shop.example".to_owned()) }
}

fn order(name: &str) -> OrderText {
    let line = OrderLine {
        product_id: "prod-1".parse().unwrap(),
        name: name.to_owned(),
        quantity: 2,
        unit_price: 2999,
    };
    let shortage = Shortage { product_id: "prod-1".parse().unwrap(), requested: 2, available: 1 };
    OrderText {
        lines: vec![line],
        total: Money { minor: 5998, currency: Currency::USD },
        tracking_number: Some("1Z<999>".to_owned()),
        rejection: Some(Rejection { reason: RejectionReason::InsufficientStock, shortages: vec![shortage] }),
    }
}

fn letter(template: EmailTemplate, name: Option<&str>, order: &OrderText) -> Letter {
    let id = order_id();
    let about = About { id: &id, placed_at: Timestamp::from_millis(1_795_446_000_000), text: order };
    let matter =
        if is_of_account(template) { Matter::Account { token: Some(TOKEN) } } else { Matter::Order(about) };
    Letter::write(&shop(), template, name, matter).unwrap()
}

#[test]
fn each_template_says_what_it_is_about_in_both_parts() {
    for (template, words) in [
        (
            EmailTemplate::OrderConfirmation,
            ["is confirmed", "29.99 USD", "59.98 USD", "2026-11-23, 15:00 UTC"],
        ),
        (EmailTemplate::OrderRejection, ["cannot deliver", "1 left", "59.98 USD", "you owe nothing"]),
        (EmailTemplate::OrderCancellation, ["is cancelled", "29.99 USD", "59.98 USD", "Ceramic mug"]),
        (EmailTemplate::OrderShipment, ["on its way", "Tracking number", "59.98 USD", "Ceramic mug"]),
        (
            EmailTemplate::Welcome,
            ["Welcome", "Ada", "account is ready", "https://shop.example/account/confirm#token=ce1."],
        ),
        (
            EmailTemplate::EmailConfirmation,
            ["Confirm", "for a week", TOKEN, "https://shop.example/account/confirm#token=ce1."],
        ),
        (
            EmailTemplate::PasswordReset,
            ["another password", "for an hour", TOKEN, "https://shop.example/account/password#token=ce1."],
        ),
    ] {
        let Letter { subject, text, html } = letter(template, Some("Ada"), &order("Ceramic mug"));
        for word in words {
            assert!(html.contains(word), "{template:?} {word:?}: {html}");
            assert!(text.contains(word) || subject.contains(word), "{template:?} {word:?}: {text}");
        }
        assert!(text.starts_with("Hello Ada,\n\n") && html.starts_with("<!doctype html>"), "{text}");
        assert!(!text.contains("\n\n\n") && !text.contains("&#"), "{text:?}");
    }
}

#[test]
fn a_guest_is_greeted_without_a_name_and_a_shop_without_a_page_has_no_link() {
    let shop = Shop { url: None, ..shop() };
    let welcome =
        |token| Letter::write(&shop, EmailTemplate::Welcome, None, Matter::Account { token }).unwrap();
    let letter = welcome(None);
    assert!(
        letter.text.starts_with("Hello,\n")
            && letter.html.contains("<p style=\"margin:0 0 16px\">Hello,</p>")
    );
    assert!(!letter.html.contains("<a ") && !letter.text.contains("http"));
    assert!(letter.html.contains("Mugs &#38; more"));
    assert!(!letter.html.contains("code") && !letter.text.contains("code"), "whose address is confirmed");
    let letter = welcome(Some(TOKEN));
    assert!(letter.html.contains(TOKEN) && letter.text.contains(TOKEN) && !letter.html.contains("<a "));
}

#[test]
fn what_people_write_is_text_and_directs_nothing() {
    let hostile = "<script>alert(1)</script>\r\nBcc: eve@example.com\u{202e}gum\u{2066}";
    for template in TEMPLATES {
        let Letter { subject, text, html } = letter(template, Some(hostile), &order(hostile));
        assert!(!html.contains("<script") && html.contains("&#60;script&#62;"), "{html}");
        assert!(!subject.chars().any(char::is_control), "{subject}");
        for part in [&subject, &text, &html] {
            assert!(!part.contains(['\u{202e}', '\u{2066}', '\r']), "{part:?}");
            assert!(!part.lines().any(|line| line.starts_with("Bcc")), "{part}");
        }
    }
}

#[test]
fn a_mail_about_an_order_needs_one_and_a_line_that_overflows_is_an_error() {
    assert!(matches!(
        Letter::write(&shop(), EmailTemplate::OrderShipment, None, Matter::Account { token: None }),
        Err(LetterError::NoSubject)
    ));
    let mut large = order("Mug");
    large.lines[0].unit_price = i64::MAX;
    let id = order_id();
    let about = About { id: &id, placed_at: Timestamp::from_millis(0), text: &large };
    let written = Letter::write(&shop(), EmailTemplate::OrderConfirmation, None, Matter::Order(about));
    assert!(matches!(written, Err(LetterError::Amount(_))));
}

#[test]
fn amounts_have_the_digits_of_their_currency() {
    let yen = Money { minor: 1200, currency: "JPY".parse().unwrap() };
    assert_eq!(amount(yen), "1200 JPY");
}
