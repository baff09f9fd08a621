//! One name everywhere, and one function a route.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::template::{Template, members, refers, render};

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

/// The characters that a stack's name has at most (docs/operations.md).
const STACK_NAME: usize = 44;
/// A name of a region that is as long as any in which there is CloudFront.
const LONGEST_REGION: &str = "ap-southeast-1";

/// What an account has once, whatever the region: how its type begins, the properties that name it, and the characters
/// that a name has at most.
const ONCE_AN_ACCOUNT: [(&str, &[&str], usize); 6] = [
    ("AWS::CloudFront::Function", &["Name"], 64),
    ("AWS::CloudFront::", &["Name"], 128),
    ("AWS::CloudWatch::Dashboard", &["DashboardName"], 255),
    ("AWS::IAM::ManagedPolicy", &["ManagedPolicyName"], 128),
    ("AWS::IAM::", &["RoleName", "UserName", "GroupName", "InstanceProfileName"], 64),
    ("AWS::S3::Bucket", &["BucketName"], 63),
];

/// Names that a stack of the same name in another region could not have too, and names that a stack's may be too long for.
#[must_use]
pub fn shared_by_regions(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    for (id, kind, properties) in template.kinds() {
        let Some((_, naming, most)) = ONCE_AN_ACCOUNT.iter().find(|(prefix, ..)| kind.starts_with(prefix))
        else {
            continue;
        };
        // CloudFront's policies have theirs in their configuration.
        let named = members(properties).chain(members(properties).flat_map(|(_, inner)| members(inner)));
        for (_, name) in named.filter(|(property, _)| naming.contains(property)) {
            wrong.extend(shared_by_regions_of(name, *most).map(|text| format!("{id}: {text}")));
        }
    }
    wrong
}

fn shared_by_regions_of(name: &Value, most: usize) -> Option<String> {
    let name = render(name);
    let longest =
        name.replace("${AWS::StackName}", &"s".repeat(STACK_NAME)).replace("${AWS::Region}", LONGEST_REGION);
    match () {
        () if !name.contains("${AWS::Region}") => Some(format!("a stack in another region has {name} too")),
        () if longest.len() > most => {
            Some(format!("{name} has more than {most} characters with the longest names"))
        }
        () => None,
    }
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
    fn a_name_that_another_region_has_too_is_found() {
        assert_eq!(shared_by_regions(&good()), [""; 0]);
        let long = format!("${{AWS::Region}}-{}-edge", "s".repeat(64));
        finds(
            shared_by_regions,
            &[
                ("${AWS::StackName}-${AWS::Region}-edge", "${AWS::StackName}-edge", "another region"),
                ("${AWS::StackName}-${AWS::Region}-edge", &long, "more than 64 characters"),
                ("${AWS::StackName}-${AWS::Region}-kept", "${AWS::StackName}-kept", "another region"),
                ("!Sub \"${AWS::StackName}-${AWS::Region}-shown\"", "!Ref AWS::StackName", "another region"),
                ("BucketEncryption:", "BucketName: files\n      BucketEncryption:", "another region"),
            ],
        );
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
