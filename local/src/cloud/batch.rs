//! What a function answers to a batch: all done, some failed, or all failed.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::InvokeError;

/// The answer of a function that reports batch item failures.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    #[serde(default)]
    batch_item_failures: Option<Vec<Failure>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: Option<String>,
}

/// The places in the batch of the items that failed. As in Lambda, an answer that cannot be read, or that
/// names an item which is not in the batch, means that all failed.
pub(super) fn failures(
    answer: &Result<Box<RawValue>, InvokeError>,
    reports_failures: bool,
    ids: &[&str],
) -> BTreeSet<usize> {
    let all = || (0..ids.len()).collect();
    let Ok(answer) = answer else { return all() };
    if !reports_failures || answer.get() == "null" {
        return BTreeSet::new();
    }
    let Ok(report) = serde_json::from_str::<Report>(answer.get()) else { return all() };
    let mut failed = BTreeSet::new();
    for failure in report.batch_item_failures.into_iter().flatten() {
        let id = failure.item_identifier.unwrap_or_default();
        match ids.iter().position(|known| *known == id) {
            Some(place) => failed.insert(place),
            None => return all(),
        };
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(answer: &str) -> Vec<usize> {
        let answer = Ok(RawValue::from_string(answer.to_owned()).unwrap());
        failures(&answer, true, &["a", "b"]).into_iter().collect()
    }

    #[test]
    fn an_answer_names_what_failed() {
        assert_eq!(failed(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#), [1]);
        assert!(failed(r#"{"batchItemFailures":[]}"#).is_empty());
        assert!(failed(r#"{"batchItemFailures":null}"#).is_empty());
        assert!(failed("{}").is_empty());
        assert!(failed("null").is_empty());
    }

    #[test]
    fn an_answer_that_is_not_understood_fails_the_whole_batch() {
        assert_eq!(failed(r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#), [0, 1]);
        assert_eq!(failed(r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#), [0, 1]);
        assert_eq!(failed(r#"{"batchItemFailures":[{"id":"a"}]}"#), [0, 1]);
        assert_eq!(failed("\"done\""), [0, 1]);
        assert_eq!(failures(&Err(InvokeError::Crashed), true, &["a", "b"]).len(), 2);
    }

    #[test]
    fn without_reports_an_answer_means_success() {
        let answer = Ok(RawValue::from_string("\"done\"".to_owned()).unwrap());
        assert!(failures(&answer, false, &["a"]).is_empty());
    }
}
