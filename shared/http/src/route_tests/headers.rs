//! Headers and parameters as clients may write them.

use super::*;

/// Says whether the answer may be packed.
struct Packed;

impl Route for Packed {
    const NAME: &'static str = "packed";
    const ENDPOINT: Endpoint = post("/things/{id}");
    const ACCESS: Access = Access::Public;

    async fn start(_: &mut Start) -> Result<Self, StartError> {
        Ok(Packed)
    }

    fn contract() -> Contract {
        Contract::new("A route of a test")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        Reply::ok(&call.accepts_gzip())
    }
}

#[tokio::test]
async fn an_answer_is_packed_for_who_takes_it_so() {
    for (accepts, expected) in [
        ("gzip", true),
        ("br, GZIP ; q=0.5", true),
        ("gzip;q=1.000", true),
        ("gzip;q=0", false),
        ("gzip;Q=0.000", false),
        ("gzip;q=abc", false),
        ("br", false),
    ] {
        let answer = ask(Packed, &request(&[("accept-encoding", accepts)], "", "")).await;
        assert_eq!(answer.body, json!(expected), "{accepts}");
    }
}

#[tokio::test]
async fn a_media_type_is_read_with_its_parameters_as_they_may_be_written() {
    for (media_type, status) in [
        ("Application/JSON; Charset=\"UTF-8\"", 200),
        (r#"application/json; foo="a;charset=utf-16""#, 200),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=utf-8; charset=latin1", 415),
        ("application/json; charset", 415),
        ("application", 415),
    ] {
        let event = request(&[("content-type", media_type)], "", r#"{"name":"a"}"#);
        assert_eq!(ask(Echo, &event).await.status, status, "{media_type}");
    }
}

#[tokio::test]
async fn a_limit_is_written_as_in_json() {
    for (limit, status) in [("5", 200), ("005", 400), ("%2B5", 400), ("5.0", 400), ("0", 400), ("101", 400)] {
        let event = request(&[], &format!("limit={limit}"), r#"{"name":"a"}"#);
        assert_eq!(ask(Echo, &event).await.status, status, "{limit}");
    }
}
