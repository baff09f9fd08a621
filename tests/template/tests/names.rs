//! Binaries, functions of the template, fixtures and routes are the same set under the same names.

use std::collections::BTreeSet;

use shop_lambda::Function;
use template_truth::{names, project};

#[test]
fn every_binary_is_a_function_with_a_fixture() {
    let template = project::template().unwrap();
    let binaries = project::binaries().unwrap();
    assert!(!binaries.is_empty());
    assert_eq!(names::functions(&template), binaries, "the template's functions and the binaries");
    assert_eq!(project::fixtures().unwrap(), binaries, "the fixtures and the binaries");
    assert_eq!(names::check(&template), [""; 0]);
}

#[test]
fn a_stack_of_the_same_name_can_be_made_in_another_region() {
    assert_eq!(names::shared_by_regions(&project::template().unwrap()), [""; 0]);
}

#[test]
fn every_binary_is_gathered_by_its_service() {
    let gathered = services::functions();
    let names: BTreeSet<_> = gathered.iter().map(|function: &Function| function.name().to_owned()).collect();
    assert_eq!(names.len(), gathered.len(), "two functions have one name");
    assert_eq!(names, project::binaries().unwrap());
}

#[test]
fn every_route_says_where_it_answers() {
    let wired = names::routes(&project::template().unwrap());
    let wired: BTreeSet<_> =
        wired.into_iter().map(|route| (route.function, format!("{} {}", route.method, route.path))).collect();
    let said: BTreeSet<_> = services::routes()
        .map(|route| (route.function.name().to_owned(), route.endpoint.to_string()))
        .collect();
    assert_eq!(said, wired, "the routes' endpoints and the template's events");
}

#[test]
fn cargo_lambda_watch_has_the_routes_of_the_template() {
    let mut watched = project::watch_routes().unwrap();
    watched.sort();
    let routes = names::routes(&project::template().unwrap());
    assert_eq!(names::ambiguous(&routes), [""; 0]);
    assert_eq!(watched, routes);
}

#[test]
fn what_is_got_has_a_head_and_what_is_no_route_is_known_as_such() {
    let template = project::template().unwrap();
    assert_eq!(names::heads(&template), [""; 0]);
    let listed = api::routes::ROUTES
        .iter()
        .flat_map(|(path, methods)| methods.iter().map(|method| ((*path).to_owned(), (*method).to_owned())));
    let listed: BTreeSet<_> = listed.collect();
    let routes = names::routes(&template).into_iter().map(|route| (route.path, route.method)).collect();
    assert_eq!(listed, routes, "answer-unknown-route's table and the template's routes");
}
