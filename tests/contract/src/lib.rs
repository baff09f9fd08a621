//! Holds every answer of the embedded cloud against the API's document: its status, its code, its headers and its
//! body. What a test did not ask about is held to the contract all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, LINK, LOCATION, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use http::{HeaderName, Response};
use jsonschema::Validator;
use serde_json::{Value, json};
use shop_local::cloud::{Answered, Observer};

/// The headers that say something of their route; those that every answer has are the route trait's business.
const TELLING: [HeaderName; 7] = [
    ETAG,
    LINK,
    LOCATION,
    RETRY_AFTER,
    SET_COOKIE,
    WWW_AUTHENTICATE,
    HeaderName::from_static("idempotent-replayed"),
];

/// The document, read once.
static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::of(&services::openapi::document()));

/// Watches a cloud, and panics at the first answer that the document does not have: the request is answered in the
/// task of who sent it, so it is that test which fails.
#[must_use]
pub fn observer() -> Arc<dyn Observer> {
    Arc::new(Watch)
}

struct Watch;

impl Observer for Watch {
    fn answered(&self, _: i64, answered: &Answered<'_>) {
        if let Err(reason) = CONTRACT.check(answered.function, answered.method, answered.response) {
            let body = String::from_utf8_lossy(answered.response.body());
            let status = answered.response.status();
            panic!(
                "{} answers {status} {body}, which its contract does not have: {reason}",
                answered.function
            );
        }
    }
}

/// What the document says of every operation.
#[derive(Debug)]
pub struct Contract {
    operations: BTreeMap<String, BTreeMap<u16, Promised>>,
}

/// What is promised of one status of an operation.
#[derive(Debug)]
struct Promised {
    headers: BTreeSet<String>,
    /// What it may be, each with the schema of what is JSON; nothing where it has no body.
    bodies: BTreeMap<String, Option<Validator>>,
}

impl Contract {
    /// Reads a document. Its objects are taken as closed: a field that it does not name is one that nobody promised.
    ///
    /// # Panics
    /// When it is no OpenAPI document, or has a schema that is none.
    #[must_use]
    #[expect(clippy::panic, reason = "it is for tests, of a document that this workspace writes")]
    pub fn of(document: &Value) -> Self {
        let mut components = document["components"].clone();
        for (name, schema) in components["schemas"].as_object_mut().into_iter().flatten() {
            if name != "Problem" {
                close(schema);
            }
        }
        let operations = document["paths"].as_object().into_iter().flatten().flat_map(|(_, methods)| {
            methods.as_object().into_iter().flatten().map(|(_, operation)| {
                let responses = operation["responses"].as_object().into_iter().flatten();
                let promised = responses.map(|(status, response)| {
                    let shared = response["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
                    let response = shared.map_or(response, |name| &components["responses"][name]);
                    let status = status.parse().unwrap_or_else(|error| panic!("{status}: {error}"));
                    (status, Promised::of(response, &components))
                });
                (operation["operationId"].as_str().unwrap_or_default().to_owned(), promised.collect())
            })
        });
        Self { operations: operations.collect() }
    }

    /// Holds an answer of a function against the document.
    ///
    /// # Errors
    /// What the document does not have, in a sentence.
    pub fn check(&self, function: &str, method: &str, response: &Response<Bytes>) -> Result<(), String> {
        // What no route takes is no operation.
        if function == "answer-unknown-route" {
            return Ok(());
        }
        let operation = self.operations.get(function).ok_or("it is no operation")?;
        let status = response.status().as_u16();
        let promised = operation.get(&status).ok_or("the status is not in it")?;
        for name in TELLING {
            let (is_there, is_promised) =
                (response.headers().contains_key(&name), promised.headers.contains(name.as_str()));
            if is_there && !is_promised {
                return Err(format!("the header {name} is not in it"));
            }
            if is_promised && !is_there && (name == ETAG || name == LOCATION) {
                return Err(format!("the header {name} is missing"));
            }
        }
        if method == "HEAD" {
            return Ok(());
        }
        let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some(media_type) = media_type else {
            let is_empty = promised.bodies.is_empty();
            return if is_empty { Ok(()) } else { Err("there is no content type".to_owned()) };
        };
        let Some(body) = promised.bodies.get(media_type) else {
            let known: Vec<_> = promised.bodies.keys().collect();
            return Err(format!("the content type is {media_type:?}, and none of {known:?}"));
        };
        let Some(validator) = body else { return Ok(()) };
        let body: Value = serde_json::from_slice(response.body()).map_err(|error| error.to_string())?;
        validator.validate(&body).map_err(|error| format!("{}: {error}", error.instance_path()))
    }
}

impl Promised {
    #[expect(clippy::panic, reason = "it is for tests, of a document that this workspace writes")]
    fn of(response: &Value, components: &Value) -> Self {
        let headers = response["headers"].as_object().into_iter().flatten();
        let bodies = response["content"].as_object().into_iter().flatten().map(|(media_type, content)| {
            let body = media_type.contains("json").then(|| {
                let mut schema = content["schema"].clone();
                schema["components"] = components.clone();
                jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{error}"))
            });
            (media_type.clone(), body)
        });
        Self {
            headers: headers.map(|(name, _)| name.to_ascii_lowercase()).collect(),
            bodies: bodies.collect(),
        }
    }
}

/// Takes an object's schema as all of its fields, and those within it.
fn close(schema: &mut Value) {
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema["additionalProperties"] = json!(false);
    }
    match schema {
        Value::Object(members) => members.values_mut().for_each(close),
        Value::Array(elements) => elements.iter_mut().for_each(close),
        _ => {}
    }
}
