//! Imports: files with lines that are right and lines that are planted wrong, and what must be there of them when all is
//! quiet.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::Method;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use shop_types::ProductId;

use super::client::{Client, Request, ask};
use super::plan::{Action, Operation, Plan, Shopper};
use crate::violation::Violation;

/// One of so many runs has an import, and one of so many of these a file of several parts.
const ONE_IN: u64 = 4;
const LONG_ONE_IN: u32 = 6;
/// More records than a part has.
const LONG: usize = 501;
/// Tells this use of the seed from others: what else a run draws is the same with and without imports.
const SALT: u64 = 0x5eed_0200;

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A product with an id that nobody else uses.
    New,
    /// The product of the row before, once more, with another price.
    Again,
    /// A product whose id is left to the shop.
    WithoutId,
    /// No product.
    Wrong,
}

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct Paper {
    /// What its ids begin with.
    name: String,
    is_csv: bool,
    rows: Vec<Row>,
}

/// An import that was started.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    id: String,
    paper: Paper,
}

/// Adds an import to a run that has one, behind everything else.
pub(super) fn add(seed: u64, plan: &mut Plan) {
    if seed % ONE_IN != 1 {
        return;
    }
    let random = &mut StdRng::seed_from_u64(seed ^ SALT);
    for number in 0..random.random_range(1..=2) {
        let is_long = random.random_ratio(1, LONG_ONE_IN);
        let count = if is_long { LONG } else { random.random_range(1..12) };
        let mut rows = Vec::with_capacity(count);
        for _ in 0..count {
            rows.push(match random.random_range(0..8) {
                0 if rows.last() == Some(&Row::New) => Row::Again,
                1 => Row::Wrong,
                2 if !is_long => Row::WithoutId,
                _ => Row::New,
            });
        }
        let paper = Paper { name: format!("imported-{number}"), is_csv: random.random_ratio(1, 2), rows };
        let at = random.random_range(0..plan.open_for);
        plan.operations.push(Operation { at, who: Shopper::Administrator, action: Action::Import(paper) });
    }
}

impl Paper {
    /// The file's text, and the line of each row.
    fn text(&self) -> (String, Vec<u64>) {
        let mut text = if self.is_csv { "id,name,price,description\r\n".to_owned() } else { String::new() };
        let mut line = if self.is_csv { 2 } else { 1 };
        let mut lines = Vec::with_capacity(self.rows.len());
        for (place, row) in self.rows.iter().enumerate() {
            lines.push(line);
            let id = self.id(place).unwrap_or_default();
            let price = if *row == Row::Wrong { "free".to_owned() } else { price(place) };
            // Writing to a string cannot fail.
            let _: std::fmt::Result = if self.is_csv {
                write!(text, "{id},Imported,{price},\"two\nlines\"\r\n")
            } else {
                let id = if id.is_empty() { "null".to_owned() } else { json!(id).to_string() };
                let price = if *row == Row::Wrong { "\"free\"".to_owned() } else { price };
                writeln!(text, "{{\"id\":{id},\"name\":\"Imported\",\"price\":{price}}}")
            };
            line += if self.is_csv { 2 } else { 1 };
        }
        (text, lines)
    }

    /// The id that a row gives.
    fn id(&self, place: usize) -> Option<String> {
        match self.rows[place] {
            Row::New => Some(format!("{}-{place}", self.name)),
            Row::Again => Some(format!("{}-{}", self.name, place - 1)),
            Row::WithoutId | Row::Wrong => None,
        }
    }
}

/// So that each row has one of its own.
fn price(place: usize) -> String {
    format!("{}.50", place + 1)
}

/// Has a file imported. Whether it was started is remembered; what becomes of one that was not is nobody's business.
pub(super) async fn act(client: &Client, paper: &Paper) {
    let body = json!({ "format": if paper.is_csv { "csv" } else { "jsonl" } });
    let made = Request::new(Shopper::Administrator, Method::POST, "/imports").body(&body);
    let made = client.persist(&made).await;
    let (Some(id), Some(url)) = (made.body["id"].as_str(), made.body["upload"]["url"].as_str()) else {
        return;
    };
    if !client.upload(url, paper.text().0).await {
        return client.report_violation(Violation::new("the-harness-works", "a file was not put".to_owned()));
    }
    let start = format!("/imports/{id}/start");
    let started = client.persist(&Request::new(Shopper::Administrator, Method::POST, &start)).await;
    if started.status == 202 {
        client.history().imports.push(Started { id: id.to_owned(), paper: paper.clone() });
    }
}

/// When all is quiet: what each import says, and what is there of it.
pub(super) async fn check_all(client: &Client) {
    let imports = client.history().imports.clone();
    for import in imports {
        if let Some(wrong) = check(client, &import).await {
            client.report_violation(wrong);
        }
    }
}

async fn check(client: &Client, import: &Started) -> Option<Violation> {
    let Started { id, paper } = import;
    let (_, lines) = paper.text();
    let wrong: Vec<u64> =
        paper.rows.iter().zip(&lines).filter(|(row, _)| **row == Row::Wrong).map(|(_, line)| *line).collect();
    let shown = ask(client, &format!("/imports/{id}")).await;
    let (all, refused) = (paper.rows.len(), wrong.len());
    let expected = json!({ "read": all, "accepted": all - refused, "refused": refused });
    if shown["status"] != "done" || shown["lines"] != expected {
        return Some(Violation::new("an-import-counts-each-line-once", format!("{expected}: {shown}")));
    }
    let told = refused_lines(client, id).await;
    if told != wrong {
        let seen = format!("{id} refused {told:?}, and {wrong:?} are wrong");
        return Some(Violation::new("an-import-refuses-what-is-wrong", seen));
    }
    // The last row of an id decides, and each of them makes one version at most.
    let mut products: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for (place, row) in paper.rows.iter().enumerate().filter(|(_, row)| **row != Row::Wrong) {
        let product = match row {
            Row::WithoutId => ProductId::derived(id, &lines[place].to_string()).to_string(),
            _ => paper.id(place)?,
        };
        let entry = products.entry(product).or_default();
        *entry = (price(place), entry.1 + 1);
    }
    for (product, (price, most)) in products {
        let shown = ask(client, &format!("/products/{product}")).await;
        let version = shown["version"].as_u64().unwrap_or(0);
        if shown["price"].to_string().trim_end_matches('0') != price.trim_end_matches('0')
            || !(1..=most).contains(&version)
        {
            let seen = format!("{product} of {id} at {price}, after {most} changes: {shown}");
            return Some(Violation::new("an-imported-line-is-there-once", seen));
        }
    }
    None
}

async fn refused_lines(client: &Client, id: &str) -> Vec<u64> {
    let (mut lines, mut path) = (Vec::new(), format!("/imports/{id}/refusals?limit=100"));
    loop {
        let page = ask(client, &path).await;
        lines.extend(page["data"].as_array().into_iter().flatten().filter_map(|line| line["line"].as_u64()));
        let Some(cursor) = page["next_cursor"].as_str() else { return lines };
        path = format!("/imports/{id}/refusals?limit=100&cursor={cursor}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_together_have_every_kind_of_row_and_files_of_several_parts() {
        let plans = (0..200).map(Plan::draw);
        let papers: Vec<Paper> = plans
            .flat_map(|plan| plan.operations)
            .filter_map(|operation| match operation.action {
                Action::Import(paper) => Some(paper),
                _ => None,
            })
            .collect();
        for row in [Row::New, Row::Again, Row::WithoutId, Row::Wrong] {
            assert!(papers.iter().any(|paper| paper.rows.contains(&row)), "{row:?}");
        }
        assert!(papers.iter().any(|paper| paper.rows.len() == LONG));
        assert!(papers.iter().any(|paper| paper.is_csv) && papers.iter().any(|paper| !paper.is_csv));
    }
}
