//! What is wrong with a line: the same codes as the API's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_http::{FieldCode, FieldError, Problem};

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RefusedLine")]
pub(crate) struct RefusedLine {
    /// Where it begins; the first line of the file is 1.
    pub(crate) line: u64,
    pub(crate) errors: Vec<LineError>,
}

/// One mistake of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LineError")]
pub(crate) struct LineError {
    /// The column, or the member of the object; none where it is about the whole line.
    pub(crate) column: Option<String>,
    /// What, for programs.
    pub(crate) code: String,
    /// What, for people.
    pub(crate) detail: String,
}

impl LineError {
    pub(crate) fn of_column(column: impl Into<String>, code: FieldCode, detail: impl Into<String>) -> Self {
        Self { column: Some(column.into()), code: code.as_str().to_owned(), detail: detail.into() }
    }

    pub(crate) fn of_line(code: &str, detail: impl Into<String>) -> Self {
        Self { column: None, code: code.to_owned(), detail: detail.into() }
    }

    /// What the API says of the same body.
    pub(crate) fn of_problem(problem: &Problem) -> Vec<Self> {
        if problem.errors().is_empty() {
            return vec![Self::of_line(problem.code().as_str(), "The line is no JSON object.")];
        }
        problem.errors().iter().map(Self::of_field).collect()
    }

    fn of_field(error: &FieldError) -> Self {
        let column = error.pointer.strip_prefix('/').filter(|column| !column.is_empty());
        let column = column.map(|column| column.replace("~1", "/").replace("~0", "~"));
        Self { column, code: error.code.as_str().to_owned(), detail: error.detail.clone() }
    }
}
