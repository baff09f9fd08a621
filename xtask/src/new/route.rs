//! `cargo xtask new route`.

use anyhow::{Result, ensure};

use super::fixture::{self, SOME_ID};
use super::name::Name;
use super::registry::Place;
use super::rename::fill;
use super::stanza;
use super::text::behind_last;
use super::tree::Tree;

/// What is answered where nothing is: to a guest, to three who are signed in, and to a broken token.
const NOTHING_THERE: &str = "[401, 404, 404, 404, 401]";

pub(super) fn add(tree: &mut Tree, place: &Place, method: &str, path: &str, name: &str) -> Result<()> {
    let (service, name) = (place.service(), Name::parse(name)?);
    ensure!(
        method.eq_ignore_ascii_case("get"),
        "the skeleton shows something (GET); begin with it, or with a copy of a route that is like yours"
    );
    ensure!(
        path.starts_with('/') && path.contains("/{id}"),
        "{path}: the skeleton shows the item of an {{id}}"
    );
    let (table, variable) = (format!("{}Table", service.camel()), format!("{}_TABLE", service.upper()));
    let keys = stanza::keys(tree, &table)?;
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
        ("variable", &variable),
        ("key", &key),
        ("read", &read),
        (
            "imports",
            if is_alone { "Item, Read, Record, Table, string" } else { "Condition, Read, Record, Table" },
        ),
    ];
    tree.create(place.file(&name), fill(include_str!("skeletons/route.rs.txt"), &values))?;
    place.add_route(tree, &name)?;
    stanza::Route {
        service: &service.kebab(),
        name: &name.kebab(),
        camel: &name.camel(),
        method: "GET",
        path,
        table: &table,
        variable: &variable,
        action: if is_alone { "GetItem" } else { "Query" },
    }
    .add(tree)?;
    tree.create(format!("events/{}.json", name.kebab()), fixture::request("GET", path, SOME_ID))?;
    add_row(tree, &format!("GET {path}"), NOTHING_THERE)?;
    let test = fill(include_str!("skeletons/route_test.rs.txt"), &values);
    tree.create(format!("tests/services/tests/{}.rs", name.snake()), test)
}

/// The article of a noun.
pub(super) fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// A row of the matrix of who may do what.
pub(super) fn add_row(tree: &mut Tree, route: &str, statuses: &str) -> Result<()> {
    let row = format!("    (\"{route}\", {statuses}),");
    tree.edit("tests/services/tests/accounts/authorization.rs", |text| {
        behind_last(text, "const MATRIX: &[(&str, [u16; 5])] = &[", "\", [", &row)
    })
}
