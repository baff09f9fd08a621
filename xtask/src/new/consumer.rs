//! `cargo xtask new consumer`.

use anyhow::{Result, ensure};

use super::name::Name;
use super::registry::Home;
use super::rename::fill;
use super::tree::Tree;
use super::{fixture, stanza};

pub(super) fn add(tree: &mut Tree, home: &Home, name: &str, events: &[String]) -> Result<()> {
    let name = Name::parse(name)?;
    let mut events = events.to_vec();
    events.sort_unstable();
    events.dedup();
    ensure!(!events.is_empty(), "a consumer is sent some type of event");
    let listed: Vec<_> = events.iter().map(|event| format!("`{event}`")).collect();
    let (camel, upper) = (name.camel(), name.upper());
    let values = [
        ("events", listed.join(", ")),
        ("name", name.kebab()),
        ("camel", camel.clone()),
        ("upper", upper.clone()),
        ("count", events.len().to_string()),
    ];
    let values = values.each_ref().map(|(key, value)| (*key, value.as_str()));
    let batch = fixture::batch(tree, &format!("{camel}Queue"), &events)?;
    let module = fill(include_str!("skeletons/consumer.rs.txt"), &values);
    tree.create(home.file(&name), module)?;
    home.add_function(tree, &name)?;
    stanza::add_table(tree, &format!("{camel}Table"), false)?;
    stanza::add_consumer(tree, &name.kebab(), &camel, &upper, &events)?;
    tree.create(format!("events/{}.json", name.kebab()), batch)?;
    let test = fill(include_str!("skeletons/consumer_test.rs.txt"), &values);
    tree.create(format!("tests/services/tests/{}.rs", name.snake()), test)
}
