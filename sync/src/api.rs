//! The tables of docs/api.md, and the API's document (OpenAPI).

use std::iter;

use anyhow::Result;
use orders::order::{ALL_STATUSES, may_become, status_name};
use serde_json::Value;
use services::SERVICES;
use shop_http::{Access, Code, FieldCode, RouteInfo};

use crate::output::Output;

const API: &str = "docs/api.md";

pub(crate) fn write(output: &mut Output) -> Result<()> {
    output.put_block(API, "routes", &routes())?;
    output.put_block(API, "transitions", &transitions())?;
    output.put_block(API, "codes", &codes())?;
    output.put_block(API, "field-codes", &field_codes())?;
    output.put("functions/api/openapi.json", pretty(services::openapi::document()));
    Ok(())
}

/// JSON as a file: members in the order of their names, which no feature of another crate changes.
pub(crate) fn pretty(mut document: Value) -> String {
    document.sort_all_objects();
    format!("{document:#}\n")
}

fn routes() -> String {
    let mut rows = vec!["| route | who | what | answers |".to_owned(), "|---|---|---|---|".to_owned()];
    rows.extend(SERVICES.iter().flat_map(|service| service.routes).map(route));
    rows.join("\n")
}

fn route(route: &RouteInfo) -> String {
    let contract = (route.contract)();
    let who = contract.who.unwrap_or(match route.access {
        Access::Anonymous | Access::Public => "everybody",
        Access::SignedIn => "signed in",
        Access::Admin => "administrators",
    });
    let answers: Vec<_> = contract.answers.iter().map(|answer| answer.status.as_str().to_owned()).collect();
    format!("| `{}` | {who} | {} | {} |", route.endpoint, contract.summary, answers.join(", "))
}

/// Which step of an order's life there is, from the status at the left to the one above.
fn transitions() -> String {
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let names = ALL_STATUSES.map(status_name);
    let step = |from, to| if may_become(from, to) { "yes" } else { "409" }.to_owned();
    let mut rows = vec![
        row(iter::once("from, to".to_owned()).chain(names.map(|name| format!("`{name}`"))).collect()),
        row(iter::repeat_n("---".to_owned(), names.len() + 1).collect()),
    ];
    rows.extend(ALL_STATUSES.map(|from| {
        let cells = ALL_STATUSES.map(|to| step(from, to));
        row(iter::once(format!("`{}`", status_name(from))).chain(cells).collect())
    }));
    rows.join("\n")
}

/// Codes that follow each other and say the same share a line.
fn codes() -> String {
    let mut lines: Vec<(u16, Vec<String>, &str)> = Vec::new();
    for code in Code::ALL {
        let (status, word) = (code.status().as_u16(), format!("`{code}`"));
        match lines.last_mut() {
            Some((other, words, when)) if (*other, *when) == (status, code.when()) => words.push(word),
            _ => lines.push((status, vec![word], code.when())),
        }
    }
    lines.sort_by_key(|(status, _, _)| *status);
    let mut rows = vec!["| status | code | when |".to_owned(), "|---|---|---|".to_owned()];
    rows.extend(
        lines.iter().map(|(status, words, when)| format!("| {status} | {} | {when} |", words.join(", "))),
    );
    rows.join("\n")
}

fn field_codes() -> String {
    let mut rows = vec!["| code | means |".to_owned(), "|---|---|".to_owned()];
    rows.extend(FieldCode::ALL.iter().map(|code| format!("| `{code}` | {} |", code.when())));
    rows.join("\n")
}
