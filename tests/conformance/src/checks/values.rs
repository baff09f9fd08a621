//! What an item can hold.

use anyhow::{Result, ensure};

use super::items::{Item, item, n, s};
use crate::answers::{refused, taken};
use crate::target::Target;

const INVALID: &str = "ValidationException";
const MAX_BYTES: usize = 409_600;

pub(super) async fn numbers_keep_38_digits(on: &Target) -> Result<()> {
    let numbers = [
        ("unsigned", n(u64::MAX)),
        ("signed", n(i64::MIN)),
        ("digits", n("12345678901234567890123456789012345678")),
        ("zero", n(0)),
    ];
    let stored = item("numbers", "a", &numbers);
    on.store(stored.clone()).await?;
    on.has(&stored).await
}

pub(super) async fn a_number_of_39_digits_is_refused(on: &Target) -> Result<()> {
    let long = n("123456789012345678901234567890123456789");
    refused(on.put(item("numbers-39", "a", &[("long", long)]))?.send().await, INVALID)
}

pub(super) async fn an_empty_string_is_a_value_but_no_key(on: &Target) -> Result<()> {
    let stored = item("empty", "a", &[("note", s(""))]);
    on.store(stored.clone()).await?;
    on.has(&stored).await?;
    refused(on.put(item("empty", "", &[]))?.send().await, INVALID)?;
    let index_key = item("empty", "b", &[("status", s("")), ("placed", s("1"))]);
    refused(on.put(index_key)?.send().await, INVALID)
}

pub(super) async fn a_key_of_another_type_is_refused(on: &Target) -> Result<()> {
    let mut wrong = item("type", "a", &[]);
    wrong.insert("sk".to_owned(), n(1));
    refused(on.put(wrong.clone())?.send().await, INVALID)?;
    let get = on.dynamodb.get_item().table_name(on.items()?).set_key(Some(wrong));
    refused(get.send().await, INVALID)?;
    let index_key = item("type", "b", &[("status", n(1)), ("placed", s("1"))]);
    refused(on.put(index_key)?.send().await, INVALID)
}

/// An item of so many bytes: the names and values of three attributes.
fn sized(pk: &str, bytes: usize) -> Item {
    let rest = bytes - "pk".len() - pk.len() - "sk".len() - "a".len() - "body".len();
    item(pk, "a", &[("body", s("x".repeat(rest)))])
}

pub(super) async fn an_item_of_400_kb_fits_and_a_byte_more_does_not(on: &Target) -> Result<()> {
    taken(on.put(sized("size", MAX_BYTES))?.send().await)?;
    refused(on.put(sized("size", MAX_BYTES + 1))?.send().await, INVALID)
}

pub(super) async fn an_update_cannot_outgrow_400_kb(on: &Target) -> Result<()> {
    let before = sized("outgrown", MAX_BYTES);
    on.store(before.clone()).await?;
    let update = on.update("outgrown", "a", "SET more = :more")?;
    refused(update.expression_attribute_values(":more", s("x")).send().await, INVALID)?;
    on.has(&before).await
}

pub(super) async fn text_comes_back_as_it_was(on: &Target) -> Result<()> {
    let text = "a\u{0}\u{1}\t\n\r\"\\/<&>\u{7f}\u{e9}\u{2028}\u{fffe}\u{ffff}\u{1f600}";
    let stored = item("text", "a", &[("text", s(text)), ("of\u{e9}", s(""))]);
    on.store(stored.clone()).await?;
    let read = on.stored("text", "a").await?.unwrap_or_default();
    ensure!(read == stored, "read is {read:?}");
    Ok(())
}
