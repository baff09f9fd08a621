//! A report in the form that its reader likes best: JSON, or CSV for a spreadsheet.
//!
//! CSV has dates, times, ids and numbers only. None of them can be taken for a formula: an id begins with a letter or a
//! digit, and names, which customers or merchants write, are not stored here at all. So nothing is quoted or escaped.

use serde::Serialize;
use shop_http::{Call, EntityTag, Problem, Reply};

pub(crate) const CSV: &str = "text/csv; charset=utf-8";
const FORMS: [&str; 2] = ["application/json", CSV];

/// Rows for a spreadsheet.
pub(crate) trait Rows {
    /// The names of the columns.
    const HEADER: &'static str;

    /// The rows, each without the end of its line.
    fn rows(&self) -> Vec<String>;
}

/// Answers with a report, or that the caller has it.
pub(crate) fn answer(call: &Call, report: &(impl Serialize + Rows)) -> Result<Reply, Problem> {
    let is_csv = call.preferred(&FORMS)? == 1;
    let text = if is_csv { csv(report) } else { serde_json::to_string(report)? };
    // Each form has a tag of its own, since its bytes are others (RFC 9110 section 8.8.3).
    let tag = EntityTag::of_content(text.as_bytes());
    if call.is_unchanged(tag)? {
        return Ok(Reply::not_modified(tag)?.by_accept());
    }
    Ok(Reply::text(if is_csv { CSV } else { FORMS[0] }, text).versioned(tag)?.by_accept())
}

/// RFC 4180: a line for the header, and lines end with CR LF.
fn csv<R: Rows>(report: &R) -> String {
    let rows = report.rows();
    let lines = std::iter::once(R::HEADER).chain(rows.iter().map(String::as_str));
    lines.flat_map(|line| [line, "\r\n"]).collect()
}
