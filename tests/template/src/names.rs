//! One name everywhere, and one function a route.

use std::collections::{BTreeMap, BTreeSet};

use crate::template::{Template, refers};

/// A route and the function that answers it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The method, in capitals.
    pub method: String,
    /// The path, with `{id}` for what varies.
    pub path: String,
    /// The name of the function, as its binary.
    pub function: String,
}

/// The name that belongs to a function's logical id: `CreateOrderFunction` is `create-order`.
#[must_use]
pub fn of_logical_id(id: &str) -> Option<String> {
    let mut name = String::new();
    for (index, letter) in id.strip_suffix("Function")?.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    Some(name)
}

/// The names of the template's functions.
#[must_use]
pub fn functions(template: &Template) -> BTreeSet<String> {
    template.functions().iter().filter_map(|function| of_logical_id(function.id)).collect()
}

/// The template's routes. `HEAD` goes with `GET` ([`heads`]), and `$default` is no route.
#[must_use]
pub fn routes(template: &Template) -> Vec<Route> {
    all_routes(template)
        .into_iter()
        .filter(|route| route.method != "HEAD" && !route.path.is_empty())
        .collect()
}

/// What is read by `GET` and not by `HEAD` of the same function, or the other way round (RFC 9110 section 9.1).
#[must_use]
pub fn heads(template: &Template) -> Vec<String> {
    let of = |method: &str| -> BTreeSet<(String, String)> {
        let routes = all_routes(template).into_iter().filter(|route| route.method == method);
        routes.map(|route| (route.path, route.function)).collect()
    };
    let unequal = of("GET").symmetric_difference(&of("HEAD")).cloned().collect::<Vec<_>>();
    unequal
        .into_iter()
        .map(|(path, function)| format!("{function}: {path} has one of GET and HEAD"))
        .collect()
}

fn all_routes(template: &Template) -> Vec<Route> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut routes: Vec<_> = template
        .sources("HttpApi")
        .into_iter()
        .map(|(function, event)| Route {
            method: text(&event["Method"]),
            path: text(&event["Path"]),
            function: of_logical_id(function.id).unwrap_or_default(),
        })
        .collect();
    routes.sort();
    routes
}

/// Functions whose logical id, `CodeUri` and build settings do not follow the rule.
#[must_use]
pub fn check(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    for function in template.functions() {
        let id = function.id;
        let Some(name) = of_logical_id(id) else {
            wrong.push(format!("{id}: a function's logical id ends in Function"));
            continue;
        };
        if function.property("CodeUri") != &format!("target/lambda/{name}/") {
            wrong.push(format!("{id}: CodeUri is not target/lambda/{name}/"));
        }
        if template.resource(id)["Metadata"]["SkipBuild"] != true {
            wrong.push(format!("{id}: sam build would build it again"));
        }
    }
    for (function, event) in template.sources("HttpApi") {
        if refers(&event["ApiId"], None) != Some("Api") {
            wrong.push(format!("{}: its route is not of Api", function.id));
        }
    }
    wrong
}

/// Routes that more than one function answers, and functions that answer more than one.
#[must_use]
pub fn ambiguous(routes: &[Route]) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut taken, mut busy) = (BTreeMap::new(), BTreeSet::new());
    for Route { method, path, function } in routes {
        if let Some(other) = taken.insert((method, path), function) {
            wrong.push(format!("{method} {path}: both {other} and {function} answer it"));
        }
        if !busy.insert(function) {
            wrong.push(format!("{function}: it answers more than one route"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broken::{finds, good};

    #[test]
    fn a_logical_id_is_a_name() {
        assert_eq!(of_logical_id("CreateOrderFunction").unwrap(), "create-order");
        assert_eq!(of_logical_id("CreateOrder"), None);
    }

    #[test]
    fn broken_names_are_found() {
        assert_eq!(check(&good()), [""; 0]);
        finds(
            check,
            &[
                ("PlaceOrderFunction:", "PlaceOrder:", "ends in Function"),
                ("target/lambda/place-order/", "target/lambda/put-order/", "CodeUri"),
                ("SkipBuild: true", "SkipBuild: false", "build it again"),
                ("ApiId: !Ref Api", "ApiId: !Ref OtherApi", "not of Api"),
            ],
        );
    }

    #[test]
    fn a_route_has_one_function_and_a_function_one_route() {
        let route = |path: &str, function: &str| Route {
            method: "GET".to_owned(),
            path: path.to_owned(),
            function: function.to_owned(),
        };
        assert_eq!(ambiguous(&[route("/a", "get-a"), route("/b", "get-b")]), [""; 0]);
        assert_eq!(ambiguous(&[route("/a", "get-a"), route("/a", "get-b")]).len(), 1);
        assert_eq!(ambiguous(&[route("/a", "get-a"), route("/b", "get-a")]).len(), 1);
    }

    #[test]
    fn a_get_without_its_head_is_found() {
        assert_eq!(heads(&good()), [""; 0]);
        finds(heads, &[("Method: POST, Path: /orders", "Method: GET, Path: /orders", "one of GET and HEAD")]);
    }

    #[test]
    fn routes_are_read() {
        let expected = Route {
            method: "POST".to_owned(),
            path: "/orders".to_owned(),
            function: "place-order".to_owned(),
        };
        assert_eq!(routes(&good()), [expected]);
    }
}
