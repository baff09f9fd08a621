//! Routes that take no body, and what a problem says of where it is.

use super::*;

/// Takes no body.
struct Bare;

impl Route for Bare {
    const NAME: &'static str = "bare";
    const ENDPOINT: Endpoint = post("/things/{id}");
    const ACCESS: Access = Access::Public;

    async fn start(_: &mut Start) -> Result<Self, StartError> {
        Ok(Bare)
    }

    fn contract() -> Contract {
        Contract::new("A route of a test")
    }

    async fn handle(&self, _: Call) -> Result<Reply, Problem> {
        Ok(Reply::no_content())
    }
}

#[tokio::test]
async fn a_route_without_a_body_takes_none_or_an_empty_object() {
    for body in ["", "{}", " { } "] {
        assert_eq!(ask(Bare, &request(&[], "", body)).await.status, 204, "{body:?}");
    }
    for body in ["{", "null", "[]", r#"{"reason":"none"}"#, "reason=none", "\u{0}"] {
        let answer = ask(Bare, &request(&[], "", body)).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("unexpected_body")), "{body:?}");
    }
    let mut event = request(&[], "", "no Base64");
    event["isBase64Encoded"] = json!(true);
    assert_eq!(ask(Bare, &event).await.body["code"], "unexpected_body");
    // Who may not ask is told nothing of the request; and a body can be too long to be looked at.
    assert_eq!(ask(Members, &request(&[], "", "{")).await.status, 401);
    let large = " ".repeat(crate::MAX_BODY_BYTES + 1);
    assert_eq!(ask(Bare, &request(&[], "", &large)).await.status, 413);
}

#[tokio::test]
async fn a_problem_is_about_a_path_of_this_host() {
    let mut event = request(&[], "", "{");
    event["rawPath"] = json!("//evil.example/x");
    assert_eq!(ask(Bare, &event).await.body["instance"], "/.//evil.example/x");
}
