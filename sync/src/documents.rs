//! Tables of the documents that follow from the template, and the schemas of events.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use services::SERVICES;
use shop_auth::{ACCESS_TOKEN_LIFETIME_SECONDS, ADMIN_TOKEN_LIFETIME_SECONDS, RETIREMENT_SECONDS};
use shop_events::{EventType, schema};
use shop_lambda::recovery::{
    COLLECT_INTERVAL, EMAIL_EXPIRES_AFTER, EMAIL_UNCERTAIN_FOR, GRACE_PERIOD, MAX_RETRY_INTERVAL,
    RESEND_INTERVAL, RETRIED_AT_LEAST, RETRIED_FOR, STALLED_AFTER, SWEEP_INTERVAL, VERIFY_INTERVAL,
    pause_after,
};
use template_truth::template::{Template, refers};
use template_truth::{names, permissions, queues, runbooks};

use crate::api::pretty;
use crate::functions::listed;
use crate::modules;
use crate::output::Output;

pub(crate) fn write(output: &mut Output, template: &Template) -> Result<()> {
    output.put_block("docs/permissions.md", "permissions", &permissions::table(template))?;
    output.put_block(runbooks::DOCUMENT, "alarms", &runbooks::table(template))?;
    for event_type in EventType::ALL {
        output.put(format!("docs/events/{event_type}.schema.json"), pretty(schema::document(*event_type)));
    }
    output.put_block("docs/reliability.md", "times", &times())?;
    output.put_block("docs/events/README.md", "listeners", &listeners(output.root(), template)?)
}

/// From when on something counts as late or over.
fn times() -> String {
    let mut rows = vec!["| what | for how long |".to_owned(), "|---|---|".to_owned()];
    rows.extend(
        [
            ("a message that has failed once waits, at most", pause_after(1).at_most),
            ("one that has failed more often than four times waits, at most", pause_after(5).at_most),
            (
                "a message that fails is tried before it goes to the dead-letter queue, at least",
                RETRIED_AT_LEAST,
            ),
            ("the same, at most", RETRIED_FOR),
            ("between two runs of sweep-orders", SWEEP_INTERVAL),
            ("an order is pending before it counts as stalled", STALLED_AFTER),
            ("between two re-emits of an order while none is progressing, at most", MAX_RETRY_INTERVAL),
            ("between two runs of resend-emails", RESEND_INTERVAL),
            ("between two runs of collect-dead-letters", COLLECT_INTERVAL),
            ("a mail of which nothing is known is sent again after", EMAIL_UNCERTAIN_FOR),
            ("a mail that cannot be sent fails after", EMAIL_EXPIRES_AFTER),
            ("between two runs of verify-stock, and of verify-user-stats", VERIFY_INTERVAL),
            ("something has been unchanged before a verification judges it", GRACE_PERIOD),
            ("a customer's access token lives", seconds(ACCESS_TOKEN_LIFETIME_SECONDS)),
            ("an administrator's access token lives", seconds(ADMIN_TOKEN_LIFETIME_SECONDS)),
            ("a signing key is accepted after another has taken its place", seconds(RETIREMENT_SECONDS)),
        ]
        .map(|(what, length)| format!("| {what} | {} |", in_words(length))),
    );
    rows.join("\n")
}

const fn seconds(count: i64) -> Duration {
    Duration::from_secs(count.unsigned_abs())
}

/// 3900 s: `1 h 5 min`.
fn in_words(length: Duration) -> String {
    let seconds = length.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    parts.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

/// Which queue is sent which events, and who consumes it.
fn listeners(root: &Path, template: &Template) -> Result<String> {
    let subscribed = queues::subscribed(template);
    let mut rows = vec!["| queue | filter | consumer |".to_owned(), "|---|---|---|".to_owned()];
    for (function, event) in template.sources("SQS") {
        let name = names::of_logical_id(function.id).unwrap_or_default();
        let queue = refers(&event["Queue"], Some("Arn")).unwrap_or_default();
        let types = subscribed.iter().find(|(id, _)| id == queue).map(|(_, types)| types);
        let owner = SERVICES.iter().find(|service| service.others.iter().any(|other| other.name() == name));
        let owner = owner.with_context(|| format!("no service has {name}"))?;
        let file = modules::find(&modules::of(root, owner)?, &name)?.join("/");
        // Another topic is a service's of AWS, in its own form.
        let types = match types {
            Some(types) if types.len() == EventType::ALL.len() => "every event, and receipts".to_owned(),
            Some(types) if types.is_empty() => "what a service of AWS says".to_owned(),
            types => listed(types.into_iter().flatten()),
        };
        rows.push(format!(
            "| `{queue}` | {types} | [{name}](../../functions/{}/src/{file}.rs) |",
            owner.name
        ));
    }
    Ok(rows.join("\n"))
}
