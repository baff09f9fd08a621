//! What each function is written into: its binary, the table at the head of its service, the routes that the API as a
//! whole knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use services::SERVICES;
use shop_events::EventType;
use shop_http::Service;
use shop_lambda::Function;
use template_truth::template::{Template, list, refers};
use template_truth::{names, queues};

use crate::modules;
use crate::output::Output;

pub(crate) fn write(output: &mut Output, template: &Template) -> Result<()> {
    for service in SERVICES {
        let folder = format!("functions/{}/src", service.name);
        let modules = modules::of(output.root(), service)?;
        let mut binaries = BTreeSet::new();
        let mut table = vec!["| called by | module |".to_owned(), "|---|---|".to_owned()];
        for function in service.functions() {
            let name = function.name();
            let module = modules::find(&modules, name)?.join("::");
            let caller = caller(service, function, template);
            table.push(format!("| {caller} | [`{module}`] |"));
            output.put(format!("{folder}/bin/{name}.rs"), binary(service.name, &module, &caller));
            binaries.insert(format!("{name}.rs"));
        }
        let table: Vec<_> = table.iter().map(|line| format!("//! {line}")).collect();
        output.put_block(&format!("{folder}/lib.rs"), "functions", &table.join("\n"))?;
        for left in files(&output.root().join(&folder).join("bin"))?.difference(&binaries) {
            output.remove(format!("{folder}/bin/{left}"));
        }
    }
    output.put("functions/api/src/routes.rs", routes());
    output.put("functions/monitor/src/consumers.rs", consumers(template)?);
    let services = SERVICES.iter().map(|service| format!("{:?}", service.name.replace('-', "_")));
    let targets: Vec<_> = services.chain(["\"shop_\"".to_owned()]).collect();
    // One line, however long: where rustfmt would break it depends on its length.
    let ours = format!("#[rustfmt::skip]\nconst OURS: &[&str] = &[{}];", targets.join(", "));
    output.put_block("shared/lambda/src/log.rs", "services", &ours)
}

fn binary(service: &str, module: &str, caller: &str) -> String {
    format!(
        "//! {caller}: [`{service}::{module}`]. Written by `cargo xtask sync`.\n\
         \n\
         #[tokio::main(flavor = \"current_thread\")]\n\
         async fn main() -> Result<(), lambda_runtime::Error> {{\n    \
             shop_lambda::run({service}::{module}::FUNCTION).await\n\
         }}\n"
    )
}

/// What calls a function: its route, or what the template wires it to.
fn caller(service: &Service, function: Function, template: &Template) -> String {
    if let Some(route) = service.routes.iter().find(|route| route.function.name() == function.name()) {
        return format!("`{}`", route.endpoint);
    }
    let source = |kind| {
        let of_it = |other: template_truth::template::Function<'_>| {
            names::of_logical_id(other.id).as_deref() == Some(function.name())
        };
        template.sources(kind).into_iter().find(|(other, _)| of_it(*other)).map(|(_, event)| event)
    };
    if let Some(event) = source("SQS") {
        let queue = refers(&event["Queue"], Some("Arn")).unwrap_or_default();
        let subscribed = queues::subscribed(template);
        let types = subscribed.iter().find(|(id, _)| id == queue).map(|(_, types)| types);
        return match types {
            Some(types) if types.len() == EventType::ALL.len() => {
                format!("`{queue}`: every event, and receipts")
            }
            Some(types) if types.is_empty() => format!("`{queue}`: what a service of AWS says"),
            types => format!("`{queue}`: {}", listed(types.into_iter().flatten())),
        };
    }
    if let Some(event) = source("DynamoDB") {
        return format!(
            "the stream of `{}`",
            refers(&event["Stream"], Some("StreamArn")).unwrap_or_default()
        );
    }
    if let Some(event) = source("Schedule") {
        let rate = list(&event["Schedule"]).first().and_then(|rate| rate.as_str()).unwrap_or_default();
        return format!("`{rate}`, or an operator");
    }
    if source("HttpApi").is_some() { "`$default`".to_owned() } else { "an operator".to_owned() }
}

/// Names as code, separated by commas.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The paths of the API and their methods, for what answers every other request.
fn routes() -> String {
    let mut paths: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for route in services::routes() {
        paths.entry(route.endpoint.path).or_default().insert(route.endpoint.method.as_str());
    }
    let mut text = "//! The API's paths and their methods. Written by `cargo xtask sync`.\n\n\
        /// `HEAD` goes with `GET`, and `OPTIONS` with all.\n\
        pub const ROUTES: &[(&str, &[&str])] = &[\n"
        .to_owned();
    for (path, methods) in paths {
        let methods: Vec<_> = methods.iter().map(|method| format!("{method:?}")).collect();
        // To a String it cannot fail.
        let _ = writeln!(text, "    ({path:?}, &[{}]),", methods.join(", "));
    }
    text + "];\n"
}

/// Who consumes what, for whoever has to know without the template at hand.
fn consumers(template: &Template) -> Result<String> {
    let subscribed = queues::subscribed(template);
    let mut text = CONSUMERS.to_owned();
    for (function, event) in template.sources("SQS") {
        let name = names::of_logical_id(function.id).unwrap_or_default();
        let queue = refers(&event["Queue"], Some("Arn")).unwrap_or_default();
        if queue == queues::UNFILTERED {
            continue;
        }
        let owner = SERVICES.iter().find(|service| service.others.iter().any(|other| other.name() == name));
        let service = owner.with_context(|| format!("no service has {name}"))?.name;
        let types = subscribed.iter().find(|(id, _)| id == queue).map(|(_, types)| types);
        // To a String it cannot fail.
        let _ = writeln!(text, "    Consumer {{\n        name: {name:?},\n        service: {service:?},");
        let types: Vec<_> = types.into_iter().flatten().map(|name| format!("{name:?}")).collect();
        let _ = writeln!(text, "        types: &[{}],\n    }},", types.join(", "));
    }
    Ok(text + "];\n")
}

const CONSUMERS: &str = "//! Who consumes what, as the template's filters say. Written by `cargo xtask sync`.

/// A consumer, its service, and the types of events that it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The consumer's one name.
    pub name: &'static str,
    /// The service that it is of.
    pub service: &'static str,
    /// None where its queue holds something else than the shop's own events.
    pub types: &'static [&'static str],
}

/// Every consumer but the journal's own, which is sent everything.
#[rustfmt::skip]
pub const CONSUMERS: &[Consumer] = &[
";

fn files(folder: &Path) -> Result<BTreeSet<String>> {
    if !folder.is_dir() {
        return Ok(BTreeSet::new());
    }
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}
