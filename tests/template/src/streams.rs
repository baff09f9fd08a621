//! Streams: a table that has one has a relay, and the relay skips nothing.

use std::collections::BTreeSet;

use crate::template::{Template, refers};

/// What every relay's mapping says, as JSON, and why a difference is wrong.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("StartingPosition", "\"TRIM_HORIZON\"", "what was written before the mapping would be lost"),
    ("FunctionResponseTypes", "[\"ReportBatchItemFailures\"]", "one bad record would fail its batch"),
    ("BisectBatchOnFunctionError", "true", "a batch that crashes the relay would not be narrowed down"),
    ("MaximumRetryAttempts", "-1", "an outage of SNS would skip records"),
    // 23 hours: a stream keeps its records for 24, and what a relay gives up must be read before they are gone.
    ("MaximumRecordAgeInSeconds", "82800", "an outage would skip records, or let them expire unread"),
    ("MaximumBatchingWindowInSeconds", "0", "events would wait for a batch to fill"),
];

/// What is wrong with the relays' event source mappings.
#[must_use]
pub fn check(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut relayed = BTreeSet::new();
    for (function, event) in template.sources("DynamoDB") {
        for (setting, expected, why) in SETTINGS {
            let found = event[*setting].to_string();
            if found != *expected {
                wrong.push(format!("{}: {why}: {setting} is {found}, not {expected}", function.id));
            }
        }
        // At most: an account with few concurrent executions has fewer.
        if template.largest(&event["ParallelizationFactor"]) != Some(10) {
            wrong.push(format!("{}: one slow key would hold back its shard", function.id));
        }
        let dead_letters = &event["DestinationConfig"]["OnFailure"]["Destination"];
        let dead = refers(dead_letters, Some("Arn")).unwrap_or_default();
        if template.resource(dead)["Type"] != "AWS::SQS::Queue" {
            wrong.push(format!("{}: a record that expires would vanish: no OnFailure queue", function.id));
        }
        relayed.extend(refers(&event["Stream"], Some("StreamArn")));
    }
    for (id, table) in template.of_type("AWS::DynamoDB::Table") {
        let view = &table["StreamSpecification"]["StreamViewType"];
        if !view.is_null() && view != "NEW_AND_OLD_IMAGES" {
            wrong.push(format!("{id}: events follow from the old and the new image"));
        }
        if view.is_null() == relayed.contains(id) {
            wrong.push(format!("{id}: a stream without a relay, or a relay without a stream"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broken::{finds, good};

    #[test]
    fn broken_streams_are_found() {
        assert_eq!(check(&good()), [""; 0]);
        finds(
            check,
            &[
                ("TRIM_HORIZON", "LATEST", "would be lost"),
                ("[ReportBatchItemFailures] # relay", "[]", "fail its batch"),
                ("BisectBatchOnFunctionError: true", "BisectBatchOnFunctionError: false", "narrowed down"),
                ("MaximumRetryAttempts: -1", "MaximumRetryAttempts: 10", "skip records"),
                ("MaximumRecordAgeInSeconds: 82800", "MaximumRecordAgeInSeconds: 3600", "expire unread"),
                ("MaximumBatchingWindowInSeconds: 0", "MaximumBatchingWindowInSeconds: 1", "would wait"),
                ("ParallelizationFactor: 10", "ParallelizationFactor: 1", "hold back"),
                ("Destination: !GetAtt RelayDeadLetterQueue.Arn", "Destination: nowhere", "would vanish"),
                ("NEW_AND_OLD_IMAGES", "KEYS_ONLY", "old and the new image"),
                ("Stream: !GetAtt OrdersTable", "Stream: !GetAtt OtherTable", "without a relay"),
            ],
        );
    }
}
