//! The API's document (OpenAPI 3.1), made of what each route says of itself.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use shop_http::{Access, AnswerBody, Code, Contract, FieldCode, RouteInfo};

use crate::SERVICES;

/// What the API is, for who reads its document first.
const DESCRIPTION: &str = "Users, products and orders. Whoever has no access token is a guest: guests see the \
    catalogue and place orders. Every error is application/problem+json (RFC 9457), whose `code` is for programs.";

/// The document.
#[must_use]
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut generator = SchemaGenerator::new(settings);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for service in SERVICES {
        for route in service.routes {
            let operation = operation(service.name, route, &mut generator);
            let method = route.endpoint.method.as_str().to_ascii_lowercase();
            paths.entry(route.endpoint.path).or_default().insert(method, operation);
        }
    }
    let mut shared = Map::new();
    for (_, operation) in paths.values_mut().flatten() {
        share_problems(operation, &mut shared);
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Shop",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" }
        },
        "tags": SERVICES.iter().filter(|service| !service.routes.is_empty())
            .map(|service| json!({ "name": service.name })).collect::<Value>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": shared,
            "securitySchemes": {
                "access_token": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "From `POST /sessions`."
                }
            }
        }
    })
}

fn operation(service: &str, route: &RouteInfo, generator: &mut SchemaGenerator) -> Value {
    let contract = (route.contract)();
    let mut operation = json!({
        "operationId": route.function.name(),
        "tags": [service],
        "summary": contract.summary,
        "parameters": parameters(route, &contract),
        "responses": responses(route, &contract, generator),
        "security": security(route.access),
    });
    if let Some(who) = contract.who {
        operation["description"] = format!("For: {who}.").into();
    }
    if let Some((schema, is_required)) = &contract.body {
        let mut content = json!({ "application/json": { "schema": schema } });
        if route.endpoint.method.as_str() == "PATCH" {
            content["application/merge-patch+json"] = json!({ "schema": schema });
        }
        operation["requestBody"] = json!({ "required": is_required, "content": content });
    }
    operation
}

fn security(access: Access) -> Value {
    match access {
        Access::Anonymous => json!([]),
        Access::Public => json!([{}, { "access_token": [] }]),
        Access::SignedIn | Access::Admin => json!([{ "access_token": [] }]),
    }
}

fn parameters(route: &RouteInfo, contract: &Contract) -> Vec<Value> {
    let segments = route.endpoint.path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }))
    });
    let query = contract.query.iter().map(
        |(name, schema, must)| json!({ "name": name, "in": "query", "required": must, "schema": schema }),
    );
    let headers = contract.headers.iter().map(|(name, description, schema)| {
        json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema })
    });
    segments.chain(query).chain(headers).collect()
}

fn responses(route: &RouteInfo, contract: &Contract, generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut responses = Map::new();
    for answer in &contract.answers {
        let mut headers = answer.headers.clone();
        headers.push(("X-Request-Id", "The request's id, by which our logs name it."));
        let mut response = json!({ "description": answer.description, "headers": said(&headers) });
        match answer.body {
            Some(AnswerBody::Json(schema)) => {
                response["content"] = json!({ "application/json": { "schema": schema(generator) } });
            }
            Some(AnswerBody::Text(media_type)) => {
                let schema =
                    if media_type.starts_with("text/") { json!({ "type": "string" }) } else { json!({}) };
                response["content"] = json!({ (media_type): { "schema": schema } });
            }
            None => {}
        }
        for media_type in &answer.also {
            response["content"][media_type] = json!({ "schema": { "type": "string" } });
        }
        responses.insert(answer.status.as_str().to_owned(), response);
    }
    let mut problems: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in route.codes(contract) {
        problems.entry(code.status().as_u16()).or_default().push(code);
    }
    for (status, codes) in problems {
        responses.insert(status.to_string(), problems_of(status, &codes));
    }
    responses.sort_keys();
    responses
}

/// Writes a status that stands for one problem once, whichever operations have it.
fn share_problems(operation: &mut Value, shared: &mut Map<String, Value>) {
    for (_, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let codes =
            &response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"];
        let Some([Value::String(code)]) = codes["enum"].as_array().map(Vec::as_slice) else { continue };
        let reference = json!({ "$ref": format!("#/components/responses/{code}") });
        let code = code.clone();
        shared.insert(code, std::mem::replace(response, reference));
    }
}

/// The answer of a status that stands for some problems.
fn problems_of(status: u16, codes: &[Code]) -> Value {
    let mut headers = vec![("X-Request-Id", "The request's id, by which our logs name it.")];
    match status {
        401 => headers.push(("WWW-Authenticate", "RFC 6750 section 3.")),
        429 | 503 => headers.push(("Retry-After", "In so many seconds it may be tried again.")),
        _ => {}
    }
    let described: Vec<_> = codes.iter().map(|code| format!("- `{code}`: {}", code.when())).collect();
    json!({
        "description": described.join("\n"),
        "headers": said(&headers),
        "content": { "application/problem+json": { "schema": {
            "allOf": [
                { "$ref": "#/components/schemas/Problem" },
                { "properties": { "status": { "const": status }, "code": { "enum": codes } } }
            ]
        } } }
    })
}

fn said(headers: &[(&str, &str)]) -> Map<String, Value> {
    let header = |&(name, description): &(&str, &str)| {
        (name.to_owned(), json!({ "description": description, "schema": { "type": "string" } }))
    };
    headers.iter().map(header).collect()
}

/// RFC 9457, with what every problem of ours has.
fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
        "properties": {
            "type": { "type": "string", "pattern": "^urn:shop:problem:[a-z0-9_]+$" },
            "title": { "type": "string", "description": "The status in words." },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What went wrong, for people." },
            "instance": { "type": "string", "format": "uri-reference", "description": "The path of the request." },
            "code": { "enum": Code::ALL, "description": "What went wrong, for programs." },
            "request_id": { "type": "string" },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "code", "detail"],
                    "properties": {
                        "pointer": {
                            "type": "string",
                            "description": "A JSON pointer into the body, `?name` for a query parameter, or a header's name."
                        },
                        "code": { "enum": FieldCode::ALL },
                        "detail": { "type": "string" }
                    },
                    "additionalProperties": false
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_route_takes_the_query_parameters_that_its_contract_names() {
        for route in SERVICES.iter().flat_map(|service| service.routes) {
            let named: BTreeSet<_> = (route.contract)().query.into_iter().map(|(name, _, _)| name).collect();
            let taken: BTreeSet<_> = route.query.iter().copied().collect();
            assert_eq!(named, taken, "{}: `QUERY` and `contract()`", route.function.name());
        }
    }

    #[test]
    fn a_route_takes_the_body_that_its_contract_describes() {
        for route in SERVICES.iter().flat_map(|service| service.routes) {
            let described = (route.contract)().body.is_some();
            assert_eq!(
                route.takes_body,
                described,
                "{}: `TAKES_BODY` and `contract()`",
                route.function.name()
            );
        }
    }
}
