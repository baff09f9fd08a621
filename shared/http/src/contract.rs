//! What a route takes and what it answers, said beside the route: the API's document is made of it, and every answer
//! of a test is held against it. No function links any of this.

use std::collections::BTreeSet;

use lambda_http::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::{Code, Describe, ITEM, Input, Keyword, Page, Problem};

/// What `If-Match` says of a read. The edge takes it off those that it keeps (docs/decisions/0054).
const WANTED: &str = "The versions that the caller wants: tags, or `*`. \
    A cache before the API may answer whatever it says (RFC 9110 section 13.1.1).";

/// What a route takes and what it answers.
#[derive(Debug)]
pub struct Contract {
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Who may call it, where its [`Access`](crate::Access) does not say all.
    pub who: Option<&'static str>,
    /// The JSON Schema of its body, and whether it must be there.
    pub body: Option<(Value, bool)>,
    /// The query parameters, with their schemas, and whether they must be there.
    pub query: Vec<(&'static str, Value, bool)>,
    /// The request headers that it reads: name, what it is, schema.
    pub headers: Vec<(&'static str, &'static str, Value)>,
    /// The answers that are no errors.
    pub answers: Vec<Answer>,
    /// The problems that it answers with, beside those of every route of its kind.
    pub codes: BTreeSet<Code>,
}

/// An answer that is no error.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// What it means.
    pub description: &'static str,
    /// Its body; none where it has none.
    pub body: Option<AnswerBody>,
    /// The media types of texts in which it is there besides, for who asks for them.
    pub also: Vec<&'static str>,
    /// The headers that it may have: name and meaning.
    pub headers: Vec<(&'static str, &'static str)>,
}

/// The body of an answer.
#[derive(Clone, Copy, Debug)]
pub enum AnswerBody {
    /// JSON of a type.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// A text of a media type.
    Text(&'static str),
}

impl Contract {
    /// A route that takes nothing and answers nothing yet.
    #[must_use]
    pub fn new(summary: &'static str) -> Self {
        Self {
            summary,
            who: None,
            body: None,
            query: Vec::new(),
            headers: Vec::new(),
            answers: Vec::new(),
            codes: BTreeSet::new(),
        }
    }

    /// Who may call it, where the route's `ACCESS` does not say all.
    #[must_use]
    pub fn who(mut self, who: &'static str) -> Self {
        self.who = Some(who);
        self
    }

    /// It takes a JSON body, which `read` reads.
    #[must_use]
    pub fn body<T>(mut self, read: impl FnOnce(Input<'_>) -> Result<T, Problem>) -> Self {
        self.body = Some((Probe::schema(read), true));
        self.codes([
            Code::EmptyBody,
            Code::MalformedBody,
            Code::NotUtf8,
            Code::ByteOrderMark,
            Code::MalformedJson,
            Code::UnsupportedMediaType,
            Code::UnsupportedContentEncoding,
            Code::InvalidRequest,
        ])
    }

    /// The same, and the body may be left out.
    #[must_use]
    pub fn optional_body<T>(self, read: impl FnOnce(Input<'_>) -> Result<T, Problem>) -> Self {
        let mut contract = self.body(read);
        if let Some((_, is_required)) = &mut contract.body {
            *is_required = false;
        }
        contract
    }

    /// It gives, takes or ends a session, and a page may hold it by a cookie (docs/decisions/0061).
    #[must_use]
    pub fn session(self, cookie: &'static str) -> Self {
        let meaning = "Of a page that holds its session by a cookie.";
        self.header("Session-Transport", meaning, json!({ "type": "string", "enum": ["cookie"] }))
            .codes([Code::InvalidSessionTransport])
            .answer_header("Set-Cookie", cookie)
    }

    /// It takes a query parameter.
    #[must_use]
    pub fn query(mut self, name: &'static str, schema: Value) -> Self {
        self.query.push((name, schema, false));
        self
    }

    /// It takes a query parameter, and answers nothing without.
    #[must_use]
    pub fn required_query(mut self, name: &'static str, schema: Value) -> Self {
        self.query.push((name, schema, true));
        self.codes([Code::InvalidQuery])
    }

    /// It reads a request header.
    #[must_use]
    pub fn header(mut self, name: &'static str, description: &'static str, schema: Value) -> Self {
        self.headers.push((name, description, schema));
        self
    }

    /// It answers with these problems, too.
    #[must_use]
    pub fn codes(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.codes.extend(codes);
        self
    }

    /// 200 with a body.
    #[must_use]
    pub fn ok<T: JsonSchema>(self, description: &'static str) -> Self {
        self.answer(StatusCode::OK, description, Some(json_of::<T>()))
    }

    /// 200 with a text of another media type than JSON.
    #[must_use]
    pub fn text(self, media_type: &'static str, description: &'static str) -> Self {
        self.answer(StatusCode::OK, description, Some(AnswerBody::Text(media_type)))
    }

    /// The answer that was named last is there as a text of another media type too, by `Accept`.
    #[must_use]
    pub fn or_text(mut self, media_type: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.also.push(media_type);
        }
        let described = "The media types that the caller takes, each with its weight.";
        self.header("Accept", described, json!({ "type": "string" }))
            .codes([Code::NotAcceptable])
            .answer_header("Vary", "`Accept`: the answer depends on it.")
    }

    /// 201 with a body, and the address to read it at.
    #[must_use]
    pub fn created<T: JsonSchema>(self, description: &'static str) -> Self {
        self.created_here::<T>(description).answer_header("Location", "Where it is to be read.")
    }

    /// 201 with a body that is to be read nowhere else.
    #[must_use]
    pub fn created_here<T: JsonSchema>(self, description: &'static str) -> Self {
        self.answer(StatusCode::CREATED, description, Some(json_of::<T>()))
    }

    /// 204.
    #[must_use]
    pub fn no_content(self, description: &'static str) -> Self {
        self.answer(StatusCode::NO_CONTENT, description, None)
    }

    /// 202, without a body.
    #[must_use]
    pub fn accepted(self, description: &'static str) -> Self {
        self.answer(StatusCode::ACCEPTED, description, None)
    }

    /// 202 with a body, and the address to read how far it is.
    #[must_use]
    pub fn accepted_at<T: JsonSchema>(self, description: &'static str) -> Self {
        let answer = self.answer(StatusCode::ACCEPTED, description, Some(json_of::<T>()));
        answer.answer_header("Location", "Where it is to be read how far it is.")
    }

    /// One page of a list: `limit` and `cursor`, and the address of the next page in `Link`.
    #[must_use]
    pub fn page<T: JsonSchema>(self, description: &'static str) -> Self {
        self.listed::<Page<T>>(description)
    }

    /// The same, where the page says more of itself than its items and the next one.
    #[must_use]
    pub fn listed<T: JsonSchema>(self, description: &'static str) -> Self {
        self.query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 }))
            .query("cursor", json!({ "type": "string", "maxLength": crate::cursor::MAX_LENGTH }))
            .codes([Code::InvalidQuery])
            .ok::<T>(description)
            .answer_header("Link", "The next page, as rel=\"next\" (RFC 8288).")
    }

    /// Its answer has an entity tag.
    #[must_use]
    pub fn versioned(self) -> Self {
        self.answer_header("ETag", "The version that was answered.")
    }

    /// Its answer has an entity tag, and 304 says that the caller has it.
    #[must_use]
    pub fn cacheable(self) -> Self {
        let schema = || json!({ "type": "string" });
        self.versioned()
            .header("If-Match", WANTED, schema())
            .header("If-None-Match", "The tags of the versions that the caller has.", schema())
            .codes([Code::InvalidIfMatch, Code::StaleVersion])
            .answer(StatusCode::NOT_MODIFIED, "The caller has this version.", None)
            .versioned()
    }

    /// It changes one version, and takes the preconditions of RFC 9110.
    #[must_use]
    pub fn conditional(self) -> Self {
        let schema = || json!({ "type": "string" });
        self.header("If-Match", "The versions that are to be changed: tags, or `*`.", schema())
            .header("If-None-Match", "The versions that are not to be changed: tags, or `*`.", schema())
            .codes([Code::InvalidIfMatch, Code::InvalidIfNoneMatch, Code::StaleVersion])
    }

    /// It takes an idempotency key, and says of a repeated answer that it is one.
    #[must_use]
    pub fn idempotent(self) -> Self {
        let schema =
            json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-+\\--~]+$" });
        self.header("Idempotency-Key", "Sent again with the same key, a request takes effect once.", schema)
            .codes([Code::InvalidIdempotencyKey, Code::IdempotencyKeyReused])
            .answer_header("Idempotent-Replayed", "`true`: the answer is that of an earlier request.")
    }

    fn answer(mut self, status: StatusCode, description: &'static str, body: Option<AnswerBody>) -> Self {
        self.answers.push(Answer { status, description, body, also: Vec::new(), headers: Vec::new() });
        self
    }

    /// The answer that was named last has a header.
    #[must_use]
    pub fn answer_header(mut self, name: &'static str, meaning: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push((name, meaning));
        }
        self
    }
}

fn json_of<T: JsonSchema>() -> AnswerBody {
    AnswerBody::Json(SchemaGenerator::subschema_for::<T>)
}

/// A body that takes note of what is asked of it.
struct Probe(std::cell::RefCell<Value>);

impl Probe {
    fn schema<T>(read: impl FnOnce(Input<'_>) -> Result<T, Problem>) -> Value {
        let probe = Self(json!({}).into());
        // What it returns is made up, and what it says of it is of no use.
        drop(read(Input::probe(&probe)));
        probe.0.into_inner()
    }
}

impl Describe for Probe {
    fn describe(&self, pointer: &str, keyword: Keyword<'_>) {
        let mut root = self.0.borrow_mut();
        let mut schema = &mut *root;
        for segment in pointer.split('/').skip(1) {
            schema = if segment == ITEM { &mut schema["items"] } else { &mut schema["properties"][segment] };
        }
        if schema.is_null() {
            *schema = json!({});
        }
        match keyword {
            Keyword::Type(name) if schema["type"].is_array() => schema["type"][0] = name.into(),
            Keyword::Type(name) => schema["type"] = name.into(),
            Keyword::Length(least, most) => {
                schema["minLength"] = least.into();
                schema["maxLength"] = most.into();
            }
            Keyword::Items(least, most) => {
                schema["minItems"] = least.into();
                schema["maxItems"] = most.into();
            }
            Keyword::Range(least, most) => {
                let number =
                    |bound: &dyn std::fmt::Display| bound.to_string().parse::<i64>().unwrap_or(i64::MAX);
                schema["minimum"] = number(least).into();
                schema["maximum"] = number(most).into();
            }
            Keyword::AtLeast(bound) => schema["minimum"] = bound.into(),
            Keyword::Nothing => *schema = json!({ "not": {} }),
            Keyword::OtherThan(value) => schema["not"] = json!({ "const": value }),
            Keyword::MoreThan(bound) => schema["exclusiveMinimum"] = bound.into(),
            Keyword::Pattern(pattern) => schema["pattern"] = pattern.into(),
            Keyword::OneOf(values) => schema["enum"] = values.into(),
            Keyword::Field(name, is_required) => {
                if schema["properties"][name].is_null() {
                    schema["properties"][name] = json!({});
                }
                if is_required {
                    let required = schema["required"].as_array().cloned().unwrap_or_default();
                    schema["required"] = required.into_iter().chain([name.into()]).collect();
                }
            }
            Keyword::Nullable if schema["type"].is_array() => {}
            Keyword::Nullable => {
                let name = schema["type"].clone();
                schema["type"] = json!([name, "null"]);
                if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                    values.push(Value::Null);
                }
            }
            Keyword::Closed => schema["additionalProperties"] = false.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_describes_what_it_reads() {
        let contract = Contract::new("Reads").body(|input| {
            input.read_object(|body| {
                let name = body.required("name", |node| node.line(1..=5));
                let lines = body.optional("lines", |lines| {
                    lines
                        .array(1..=2, |line| line.object(|line| line.required("n", |n| n.integer(1..=9_u32))))
                });
                let note = body.nullable("note", |node| {
                    if node.is_null() { Some(None) } else { node.text(0..=3).map(Some) }
                });
                let id = body.optional("id", |node| {
                    node.parsed::<shop_types::ProductId>(crate::FieldCode::InvalidId, "an id")
                });
                Some((name?, lines?, note?, id?))
            })
        });
        let expected = json!({
            "type": "object", "additionalProperties": false, "required": ["name"],
            "properties": {
                "name": { "type": "string", "pattern": "\\S", "minLength": 1, "maxLength": 5 },
                "lines": {
                    "type": ["array", "null"], "minItems": 1, "maxItems": 2,
                    "items": {
                        "type": "object", "additionalProperties": false, "required": ["n"],
                        "properties": { "n": { "type": "integer", "minimum": 1, "maximum": 9 } }
                    }
                },
                "note": { "type": ["string", "null"], "minLength": 0, "maxLength": 3 },
                "id": { "type": ["string", "null"], "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$" }
            }
        });
        assert_eq!(contract.body, Some((expected, true)));
        assert!(contract.codes.contains(&Code::InvalidRequest));
    }
}
