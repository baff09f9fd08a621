//! `cargo xtask new service`.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::fixture::{self, SOME_ID, written};
use super::name::Name;
use super::place::{add_row, article};
use super::registry::into_list;
use super::rename::fill;
use super::stanza;
use super::text::{before, behind_last, in_order};
use super::tree::Tree;

/// A skeleton of a service's crate, and the file that it becomes.
const SKELETONS: [(&str, &str); 11] = [
    ("functions/{{service}}/Cargo.toml", include_str!("skeletons/service_cargo.toml.txt")),
    ("functions/{{service}}/src/lib.rs", include_str!("skeletons/service_lib.rs.txt")),
    ("functions/{{service}}/src/{{item}}.rs", include_str!("skeletons/service_item.rs.txt")),
    ("functions/{{service}}/src/store.rs", include_str!("skeletons/service_store.rs.txt")),
    ("functions/{{service}}/src/create_{{item}}.rs", include_str!("skeletons/service_create.rs.txt")),
    ("functions/{{service}}/src/get_{{item}}.rs", include_str!("skeletons/service_get.rs.txt")),
    ("functions/{{service}}/src/events.rs", include_str!("skeletons/service_events.rs.txt")),
    ("functions/{{service}}/tests/{{item}}_events.rs", include_str!("skeletons/service_events_test.rs.txt")),
    ("functions/{{service}}/src/publish_{{item}}_events.rs", include_str!("skeletons/service_relay.rs.txt")),
    ("tests/services/tests/{{service}}.rs", include_str!("skeletons/service_test.rs.txt")),
    ("simulation/src/services/{{service}}.rs", include_str!("skeletons/service_simulation.rs.txt")),
];

pub(super) fn add(tree: &mut Tree, service: &str, item: Option<&str>) -> Result<()> {
    let service = Name::parse(service)?;
    ensure!(
        !service.kebab().contains('-'),
        "a service has a name of one word: it is the first part of its paths"
    );
    let item = match item {
        Some(item) => Name::parse(item)?,
        None => Name::parse(service.kebab().strip_suffix('s').context("what it has many of: --item")?)?,
    };
    ensure!(item != service, "a service and its item have the same name");
    let words = item.words();
    let a = article(&words);
    let event = format!("{}.created", item.snake());
    let values = [
        ("service", service.kebab()),
        ("SERVICE", service.upper()),
        ("Service", service.camel()),
        ("plural", service.words()),
        ("item", item.snake()),
        ("Item", item.camel()),
        ("kebab", item.kebab()),
        ("words", words.clone()),
        ("a", a.to_owned()),
        ("A", if a == "a" { "A" } else { "An" }.to_owned()),
        ("event", event.clone()),
    ];
    let values = values.each_ref().map(|(key, value)| (*key, value.as_str()));
    for (path, skeleton) in SKELETONS {
        tree.create(fill(path, &values), fill(skeleton, &values))?;
    }
    register(tree, &service)?;
    add_id(tree, &item, &values)?;
    add_event(tree, &service, &item, &event, &values)?;
    add_stanzas(tree, &service, &item)?;
    add_fixtures(tree, &service, &item)?;
    add_row(tree, &format!("POST /{}", service.kebab()), "[401, 201, 201, 201, 401]")?;
    add_row(tree, &format!("GET /{}/{{id}}", service.kebab()), "[401, 404, 404, 404, 401]")
}

/// The workspace's manifest, the registry, and what the simulation holds services to.
fn register(tree: &mut Tree, service: &Name) -> Result<()> {
    let name = service.kebab();
    let dependency = format!("{name}.workspace = true");
    tree.edit("Cargo.toml", |text| {
        before(text, "services = { path", &format!("{name} = {{ path = \"functions/{name}\" }}\n"))
    })?;
    tree.edit("services/Cargo.toml", |text| in_order(text, "[dependencies]", "", &dependency))?;
    tree.edit("services/src/lib.rs", |text| {
        into_list(text, "SERVICES: &[Service] = &[", &format!("{}::SERVICE", service.snake()))
    })?;
    tree.edit("simulation/src/services/mod.rs", |text| {
        let text = before(text, "\nuse std::fmt;", &format!("mod {};\n", service.snake()))?;
        into_list(&text, "services![", &service.snake())
    })
}

/// The type of the item's id.
fn add_id(tree: &mut Tree, item: &Name, values: &[(&str, &str)]) -> Result<()> {
    let id = fill(include_str!("skeletons/service_id.rs.txt"), values);
    tree.edit("shared/types/src/id.rs", |text| before(text, "#[cfg(test)]\nmod tests {", &id))?;
    tree.edit("shared/types/src/lib.rs", |text| {
        into_braces(text, "pub use id::{", &format!("{}Id", item.camel()))
    })
}

/// The type of event that a new item is published as: its data, its schema, its example and its line in the document.
fn add_event(
    tree: &mut Tree,
    service: &Name,
    item: &Name,
    event: &str,
    values: &[(&str, &str)],
) -> Result<()> {
    let (module, data) = (service.snake(), format!("{}Created", item.camel()));
    let text = fill(include_str!("skeletons/service_event.rs.txt"), values);
    tree.create(format!("shared/events/src/{module}.rs"), text)?;
    tree.edit("shared/events/src/lib.rs", |text| {
        let text = before(text, "mod users;\n", &format!("mod {module};\n"))?;
        before(&text, "pub use users::", &format!("pub use {module}::{data};\n"))
    })?;
    let words = item.words();
    let a = if article(&words) == "a" { "A" } else { "An" };
    tree.edit("shared/events/src/kind.rs", |text| {
        let text = into_braces(text, "use crate::{", &data)?;
        let kind =
            format!("    /// {a} {words} was made.\n    {data}({data}) = {event:?} from \"/{module}\";\n");
        before(&text, "}\n\n/// The text is not the name of an event type", &kind)
    })?;
    let id = format!("{}_{SOME_ID}", item.snake());
    let example = json!({
        "specversion": "1.0",
        "id": format!("{id}:1:{event}"),
        "source": format!("/{module}"),
        "type": event,
        "subject": id,
        "time": "2026-11-23T15:00:00.000Z",
        "dataschema": format!("https://shop.example/events/v1/{event}.schema.json"),
        "datacontenttype": "application/json",
        "correlationid": "JKJaXmPLvHcESHA=",
        "actor": "usr_01jd8zz4h6k9m3n5p7q2r4s6t8",
        "sequence": "00000000000000000001",
        "data": { format!("{}_id", item.snake()): id, "created_at": "2026-11-23T15:00:00.000Z" }
    });
    tree.create(format!("docs/events/{event}.example.json"), written(&example))?;
    let row = format!("| `{event}` | {} | the {words} | made |", service.kebab());
    tree.edit("docs/events/README.md", |text| {
        behind_last(text, "| type | published by | about (`subject`) | says |", "| `", &row)
    })
}

fn add_stanzas(tree: &mut Tree, service: &Name, item: &Name) -> Result<()> {
    let (name, table) = (service.kebab(), format!("{}Table", service.camel()));
    let variable = format!("{}_TABLE", service.upper());
    stanza::add_section(tree, &name)?;
    stanza::add_table(tree, &table, true)?;
    let path = format!("/{name}");
    let of_item = format!("/{name}/{{id}}");
    for (verb, method, path, action) in
        [("create", "POST", &path, "PutItem"), ("get", "GET", &of_item, "GetItem")]
    {
        let function = Name::parse(&format!("{verb}-{}", item.kebab()))?;
        let (kebab, camel) = (function.kebab(), function.camel());
        stanza::Route {
            service: &name,
            name: &kebab,
            camel: &camel,
            method,
            path,
            table: &table,
            variable: &variable,
            action,
        }
        .add(tree)?;
    }
    stanza::add_limits(tree, &format!("POST {path}"))?;
    let relay = Name::parse(&format!("publish-{}-events", item.kebab()))?;
    stanza::add_relay(tree, &relay.kebab(), &relay.camel(), &table, &service.words())
}

fn add_fixtures(tree: &mut Tree, service: &Name, item: &Name) -> Result<()> {
    let id = format!("{}_{SOME_ID}", item.snake());
    let path = format!("/{}", service.kebab());
    let item_path = format!("{path}/{{id}}");
    tree.create(format!("events/create-{}.json", item.kebab()), fixture::request("POST", &path, &id))?;
    tree.create(format!("events/get-{}.json", item.kebab()), fixture::request("GET", &item_path, &id))?;
    let stored = json!({
        "id": { "S": id },
        "version": { "N": "1" },
        "created_at": { "S": "2026-11-23T15:00:00.000Z" },
        "correlation_id": { "S": "JKJaXmPLvHcESHA=" },
        "actor": { "S": "usr_01jd8zz4h6k9m3n5p7q2r4s6t8" }
    });
    let record = fixture::inserted(&format!("{}Table", service.camel()), &stored);
    tree.create(format!("events/publish-{}-events.json", item.kebab()), record)
}

/// Puts a name into a `use` of several; rustfmt orders them.
fn into_braces(text: &str, open: &str, name: &str) -> Result<String> {
    before(text, open, "").with_context(|| format!("it has no `{open}`"))?;
    Ok(text.replacen(open, &format!("{open}{name}, "), 1))
}
