//! `cargo xtask new route`.

use anyhow::{Result, ensure};

use super::fixture::{self, SOME_ID};
use super::name::Name;
use super::place::{Place, add_row, article};
use super::registry::Home;
use super::rename::fill;
use super::tree::Tree;
use super::{change, stanza};

pub(super) fn add(tree: &mut Tree, home: &Home, method: &str, path: &str, name: &str) -> Result<()> {
    let (service, name) = (home.service(), Name::parse(name)?);
    ensure!(
        path.starts_with('/') && path.contains("/{id}"),
        "{path}: the skeleton is about the item of an {{id}}"
    );
    let (table, variable) = (format!("{}Table", service.camel()), format!("{}_TABLE", service.upper()));
    let keys = stanza::keys(tree, &table)?;
    let place = Place { home, path, name, table, variable, keys };
    let method = method.to_ascii_uppercase();
    if method == "GET" { add_get(tree, &place) } else { change::add(tree, &method, &place) }
}

fn add_get(tree: &mut Tree, place: &Place<'_>) -> Result<()> {
    let Place { home, path, name, table, variable, keys } = place;
    let is_alone = keys.len() == 1;
    let key = keys.first().cloned().unwrap_or_default();
    let read = if is_alone {
        format!(
            "let key = Item::from([({key:?}.to_owned(), string(id))]);\n        \
             let stored: Option<Stored> = self.table.get_only(key, &[{key:?}], Read::Consistent).await?;"
        )
    } else {
        format!(
            "let of_id = Condition::equals({key:?}, id);\n        \
             let found = self.table.query(of_id, Read::Consistent).only(&[{key:?}]).limit(1).page().await?;\n        \
             let stored = found.read::<Stored>()?.pop();"
        )
    };
    let noun = name.noun();
    let words = noun.words();
    let values = [
        ("method", "GET"),
        ("path", path),
        ("name", &name.kebab()),
        ("camel", &name.camel()),
        ("camel_noun", &noun.camel()),
        ("words", &words),
        ("a", article(&words)),
        ("variable", variable),
        ("key", &key),
        ("read", &read),
        (
            "imports",
            if is_alone { "Item, Read, Record, Table, string" } else { "Condition, Read, Record, Table" },
        ),
    ];
    tree.create(home.file(name), fill(include_str!("skeletons/route.rs.txt"), &values))?;
    home.add_route(tree, name)?;
    stanza::Route {
        service: &home.service().kebab(),
        name: &name.kebab(),
        camel: &name.camel(),
        method: "GET",
        path,
        table,
        variable,
        action: if is_alone { "GetItem" } else { "Query" },
    }
    .add(tree)?;
    tree.create(format!("events/{}.json", name.kebab()), fixture::request("GET", path, SOME_ID))?;
    let found = place.status_of_an_item(200);
    add_row(tree, &format!("GET {path}"), &format!("[401, {found}, {found}, {found}, 401]"))?;
    let test = fill(include_str!("skeletons/route_test.rs.txt"), &values);
    tree.create(format!("tests/services/tests/{}.rs", name.snake()), test)
}
