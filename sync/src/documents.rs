//! Tables of the documents that follow from the template, and the schemas of events.

use std::path::Path;

use anyhow::{Context as _, Result};
use services::SERVICES;
use shop_events::{EventType, schema};
use template_truth::template::{Template, refers};
use template_truth::{names, permissions, queues};

use crate::api::pretty;
use crate::functions::listed;
use crate::modules;
use crate::output::Output;

pub(crate) fn write(output: &mut Output, template: &Template) -> Result<()> {
    output.put_block("docs/permissions.md", "permissions", &permissions::table(template))?;
    for event_type in EventType::ALL {
        output.put(format!("docs/events/{event_type}.schema.json"), pretty(schema::document(*event_type)));
    }
    output.put_block("docs/events/README.md", "listeners", &listeners(output.root(), template)?)
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
        let types = listed(types.into_iter().flatten());
        rows.push(format!(
            "| `{queue}` | {types} | [{name}](../../functions/{}/src/{file}.rs) |",
            owner.name
        ));
    }
    Ok(rows.join("\n"))
}
