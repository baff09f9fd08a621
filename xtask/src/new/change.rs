//! `cargo xtask new route` of a route that changes something: an administrator keeps a note on an item, or drops it.

use anyhow::{Result, ensure};
use serde_json::json;

use super::fixture::{self, SOME_ID};
use super::place::{Place, add_row, article};
use super::rename::fill;
use super::stanza;
use super::text::before;
use super::tree::Tree;

/// What a test notes.
const NOTE: &str = "Handle with care";

/// What a skeleton of a method does, in the pieces in which they differ.
struct Change {
    does: &'static str,
    summary: &'static str,
    imports: &'static str,
    bound: &'static str,
    takes_body: &'static str,
    body: &'static str,
    read: &'static str,
    update: &'static str,
    reader: &'static str,
}

const KEEP: Change = Change {
    does: "an administrator keeps a note on {{a}} {{words}}",
    summary: "Keeps a note on {{a}} {{words}}",
    imports: "Access, Call, Contract, Endpoint, Input, Problem, Reply, Route, Start, {{verb}}",
    bound: "/// The longest note, in characters.\nconst MAX_NOTE: usize = 200;\n",
    takes_body: "    const TAKES_BODY: bool = true;\n",
    body: ".body(read_note)",
    read: "let note = read_note(call.body()?)?;",
    update: ".set(\"note\", note)",
    reader: "\n/// Reads the body: `{\"note\": \"...\"}`.\nfn read_note(input: Input<'_>) -> Result<String, Problem> {\n    \
             input.read_object(|body| body.required(\"note\", |node| node.line(1..=MAX_NOTE)))\n}\n",
};

const DROP: Change = Change {
    does: "an administrator drops the note on {{a}} {{words}}",
    summary: "Drops the note on {{a}} {{words}}",
    imports: "Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, {{verb}}",
    bound: "",
    takes_body: "",
    body: "",
    read: "",
    update: ".remove(\"note\")",
    reader: "",
};

pub(super) fn add(tree: &mut Tree, method: &str, place: &Place<'_>) -> Result<()> {
    let Place { home, path, name, table, variable, keys } = place;
    let [key] = &keys[..] else {
        anyhow::bail!(
            "{table} has a sort key, so the skeleton cannot know which item {path} changes; begin with a copy of a \
             route that is like yours"
        )
    };
    let verb = method.to_ascii_lowercase();
    ensure!(
        ["post", "put", "patch", "delete"].contains(&verb.as_str()),
        "{method}: a route has GET, POST, PUT, PATCH or DELETE"
    );
    let change = if verb == "delete" { DROP } else { KEEP };
    let words = name.noun().words();
    let pieces = [
        ("does", change.does),
        ("summary", change.summary),
        ("imports", change.imports),
        ("bound", change.bound),
        ("takes_body", change.takes_body),
        ("body", change.body),
        ("read", change.read),
        ("update", change.update),
        ("reader", change.reader),
    ];
    let values = [
        ("method", method),
        ("verb", &verb),
        ("path", path),
        ("name", &name.kebab()),
        ("camel", &name.camel()),
        ("words", &words),
        ("a", article(&words)),
        ("variable", variable),
        ("table", table),
        ("key", key),
    ];
    let skeleton = fill(include_str!("skeletons/change_route.rs.txt"), &pieces);
    tree.create(home.file(name), fill(&skeleton, &values))?;
    home.add_route(tree, name)?;
    stanza::add_change(tree, &home.service().kebab(), &values)?;
    stanza::add_limits(tree, &format!("{method} {path}"))?;
    let note = json!({ "note": NOTE });
    let body = (verb != "delete").then_some(&note);
    tree.create(format!("events/{}.json", name.kebab()), fixture::request_of(method, path, SOME_ID, body))?;
    let found = place.status_of_an_item(204);
    add_row(tree, &format!("{method} {path}"), &format!("[401, 403, 403, {found}, 401]"))?;
    if body.is_some() {
        tree.edit("tests/services/tests/authorization.rs", |text| {
            let arm = format!("            \"{method} {path}\" => Some(json!({{ \"note\": {NOTE:?} }})),\n");
            before(text, "            _ => None,\n        };\n        Ok((method.parse()?", &arm)
        })?;
    }
    let test = fill(include_str!("skeletons/route_test.rs.txt"), &values);
    tree.create(format!("tests/services/tests/{}.rs", name.snake()), test)
}
