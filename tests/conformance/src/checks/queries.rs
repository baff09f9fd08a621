//! Queries of the table and of a global index.

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::items::{Item, item, n, s};
use crate::answers::{refused, taken};
use crate::target::Target;
use crate::wait::{self, Look};

const INVALID: &str = "ValidationException";

/// An item that the index `by-status` has.
fn placed(pk: &str, sk: &str, status: &str, placed: &str) -> Item {
    item(pk, sk, &[("status", s(status)), ("placed", s(placed))])
}

fn of_status(on: &Target, status: &str) -> Result<QueryFluentBuilder> {
    let query = on.dynamodb.query().table_name(on.items()?).index_name("by-status");
    let query = query.key_condition_expression("#key = :value").expression_attribute_names("#key", "status");
    Ok(query.expression_attribute_values(":value", s(status)))
}

fn of_partition(on: &Target, pk: &str) -> Result<QueryFluentBuilder> {
    let query = on.dynamodb.query().table_name(on.items()?).consistent_read(true);
    Ok(query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", s(pk)))
}

/// The sort keys of items, in their order.
fn sort_keys(items: &[Item]) -> Vec<&str> {
    items.iter().filter_map(|item| item.get("sk")?.as_s().ok()).map(String::as_str).collect()
}

/// Waits until a query finds these, since an index follows its table a moment later.
async fn finds(query: QueryFluentBuilder, expected: &[&str]) -> Result<()> {
    wait::until("the index", async || {
        let items = taken(query.clone().send().await)?.items.unwrap_or_default();
        let found = sort_keys(&items);
        Ok(if found == expected { Look::Done(()) } else { Look::NotYet(format!("{found:?}")) })
    })
    .await
}

pub(super) async fn a_position_outside_of_the_query_is_refused(on: &Target) -> Result<()> {
    for sk in ["a", "b"] {
        on.store(item("position", sk, &[])).await?;
    }
    let from = |pk: &'static str| {
        let query = of_partition(on, "position")?;
        anyhow::Ok(query.exclusive_start_key("pk", s(pk)).exclusive_start_key("sk", s("a")))
    };
    let rest = taken(from("position")?.send().await)?.items.unwrap_or_default();
    ensure!(sort_keys(&rest) == ["b"], "found {:?}", sort_keys(&rest));
    refused(from("another")?.send().await, INVALID)
}

async fn five(on: &Target, pk: &str) -> Result<()> {
    // Not in the order of their positions.
    for (sk, position) in [("c", "3"), ("a", "1"), ("e", "5"), ("b", "2"), ("d", "4")] {
        on.store(placed(pk, sk, pk, position)).await?;
    }
    finds(of_status(on, pk)?, &["a", "b", "c", "d", "e"]).await
}

pub(super) async fn an_index_is_sparse_and_ordered(on: &Target) -> Result<()> {
    on.store(item("sparse", "without", &[])).await?;
    on.store(item("sparse", "half", &[("status", s("sparse"))])).await?;
    five(on, "sparse").await?;
    finds(of_status(on, "sparse")?.scan_index_forward(false), &["e", "d", "c", "b", "a"]).await
}

pub(super) async fn an_item_moves_between_partitions_of_an_index(on: &Target) -> Result<()> {
    on.store(placed("moves", "a", "moves-pending", "1")).await?;
    finds(of_status(on, "moves-pending")?, &["a"]).await?;
    let update =
        on.update("moves", "a", "SET #status = :new")?.expression_attribute_names("#status", "status");
    taken(update.expression_attribute_values(":new", s("moves-confirmed")).send().await)?;
    finds(of_status(on, "moves-confirmed")?, &["a"]).await?;
    finds(of_status(on, "moves-pending")?, &[]).await?;
    let update = on.update("moves", "a", "REMOVE #status")?.expression_attribute_names("#status", "status");
    taken(update.send().await)?;
    finds(of_status(on, "moves-confirmed")?, &[]).await
}

pub(super) async fn pages_follow_each_other(on: &Target) -> Result<()> {
    five(on, "pages").await?;
    let (mut start, mut pages) = (None::<Item>, Vec::new());
    loop {
        let query = of_status(on, "pages")?.limit(2).set_exclusive_start_key(start);
        let answer = taken(query.send().await)?;
        let items = answer.items.unwrap_or_default();
        pages.push(sort_keys(&items).join(""));
        ensure!(pages.len() < 5, "the pages are {pages:?}");
        start = answer.last_evaluated_key;
        let Some(key) = &start else { break };
        let last = items.last().context("a page without items that is not the last")?;
        ensure!(key == last, "the key is {key:?}, and the page ends with {last:?}");
    }
    // After a full page the last one may be empty.
    ensure!(pages[..3] == ["ab", "cd", "e"] && pages[3..].concat().is_empty(), "the pages are {pages:?}");
    Ok(())
}

pub(super) async fn a_page_starts_behind_a_key_that_is_not_there(on: &Target) -> Result<()> {
    five(on, "position").await?;
    let behind = |position: &str| placed("position", "never there", "position", position);
    let query =
        |position| anyhow::Ok(of_status(on, "position")?.set_exclusive_start_key(Some(behind(position))));
    finds(query("25")?, &["c", "d", "e"]).await?;
    finds(query("25")?.scan_index_forward(false), &["b", "a"]).await?;
    finds(query("6")?, &[]).await
}

pub(super) async fn a_sort_key_has_a_prefix_or_a_range(on: &Target) -> Result<()> {
    for sk in ["order#2", "product", "order#1", "stats", "reservation", "stock", "order"] {
        on.store(item("range", sk, &[])).await?;
    }
    let query = |condition: &str| anyhow::Ok(of_partition(on, "range")?.key_condition_expression(condition));
    let prefix = query("pk = :pk AND begins_with(sk, :prefix)")?;
    let prefix = taken(prefix.expression_attribute_values(":prefix", s("order#")).send().await)?;
    let found = sort_keys(prefix.items());
    ensure!(found == ["order#1", "order#2"], "begins_with finds {found:?}");
    let range = query("pk = :pk AND sk BETWEEN :first AND :last")?;
    let range = range.expression_attribute_values(":first", s("product"));
    let range = taken(range.expression_attribute_values(":last", s("stock")).send().await)?;
    let found = sort_keys(range.items());
    ensure!(found == ["product", "reservation", "stats", "stock"], "BETWEEN finds {found:?}");
    Ok(())
}

pub(super) async fn a_filter_comes_after_the_limit(on: &Target) -> Result<()> {
    for (sk, state) in [("a", "cancelled"), ("b", "cancelled"), ("c", "counted")] {
        on.store(item("filter", sk, &[("state", s(state))])).await?;
    }
    let query = |limit| {
        let query = of_partition(on, "filter")?.filter_expression("#state = :counted").limit(limit);
        let query = query.expression_attribute_names("#state", "state");
        anyhow::Ok(query.expression_attribute_values(":counted", s("counted")))
    };
    let first = taken(query(2)?.send().await)?;
    let seen = (first.count(), first.scanned_count());
    ensure!(seen == (0, 2) && first.items().is_empty(), "the first page has (count, scanned) {seen:?}");
    let start = first.last_evaluated_key;
    ensure!(start.is_some(), "the first page names no next one");
    let second = taken(query(2)?.set_exclusive_start_key(start).send().await)?;
    let found = sort_keys(second.items());
    ensure!(found == ["c"], "the second page has {found:?}");
    Ok(())
}

pub(super) async fn a_projection_names_reserved_words_by_placeholder(on: &Target) -> Result<()> {
    let attributes = [("name", s("Mug")), ("price", n(5)), ("status", s("projection")), ("placed", s("1"))];
    on.store(item("projection", "a", &attributes)).await?;
    let query = of_partition(on, "projection")?.projection_expression("price, #name, never_there");
    let answer = taken(query.expression_attribute_names("#name", "name").send().await)?;
    let expected = Item::from([("price".to_owned(), n(5)), ("name".to_owned(), s("Mug"))]);
    ensure!(answer.items() == [expected], "found is {:?}", answer.items());
    Ok(())
}

pub(super) async fn a_bare_reserved_word_is_refused(on: &Target) -> Result<()> {
    let update = on.update("reserved", "a", "SET total = :x")?;
    let update = update.expression_attribute_values(":x", s("x"));
    refused(update.send().await, INVALID).context("in an update")?;
    let put = on.put(item("reserved", "a", &[]))?.condition_expression("status = :x");
    let put = put.expression_attribute_values(":x", s("x"));
    refused(put.send().await, INVALID).context("in a condition")?;
    let filter = of_partition(on, "reserved")?.filter_expression("state = :x");
    let filter = filter.expression_attribute_values(":x", s("x"));
    refused(filter.send().await, INVALID).context("in a filter")?;
    let projection = of_partition(on, "reserved")?.projection_expression("name");
    refused(projection.send().await, INVALID).context("in a projection")
}

pub(super) async fn an_index_has_no_consistent_read(on: &Target) -> Result<()> {
    refused(of_status(on, "any")?.consistent_read(true).send().await, INVALID)
}
