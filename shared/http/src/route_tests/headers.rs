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
        let is_gzip = call.accepts_gzip();
        Ok(Reply::packed("application/json", is_gzip.to_string().into_bytes(), is_gzip))
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
        assert_eq!(answer.headers["content-encoding"] == "gzip", expected, "{accepts}");
        assert_eq!(answer.headers["vary"], "Accept-Encoding", "{accepts}");
    }
}

#[tokio::test]
async fn a_media_type_is_read_with_its_parameters_as_they_may_be_written() {
    for (media_type, status) in [
        ("Application/JSON; Charset=\"UTF-8\"", 200),
        (r#"application/json; foo="a;charset=utf-16""#, 200),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=utf-8; charset=latin1", 415),
        (r#"application/json; charset="\u\t\f-8""#, 200),
        ("application/json;", 200),
        ("application/json ;charset=utf-8", 200),
        (r#"application/json; charset="utf-8"#, 415),
        ("application/json; charset", 415),
        ("application", 415),
    ] {
        let event = request(&[("content-type", media_type)], "", r#"{"name":"a"}"#);
        assert_eq!(ask(Echo, &event).await.status, status, "{media_type}");
    }
}

#[tokio::test]
async fn a_query_is_text() {
    for (query, code) in [
        ("cursor=%FF", Some("invalid_filter")),
        ("cursor=%C3", Some("invalid_filter")),
        ("cursor=%C3%28&limit=5", Some("invalid_filter")),
        ("%FF=1", Some("unexpected")),
        ("cursor=%EF%BF%BD", Some("invalid_cursor")),
        ("&&limit=5&", None),
        ("", None),
    ] {
        let answer = ask(Echo, &request(&[], query, r#"{"name":"a"}"#)).await;
        assert_eq!(answer.body["errors"][0]["code"].as_str(), code, "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_limit_is_written_as_in_json() {
    for (limit, status) in [("5", 200), ("005", 400), ("%2B5", 400), ("5.0", 400), ("0", 400), ("101", 400)] {
        let event = request(&[], &format!("limit={limit}"), r#"{"name":"a"}"#);
        assert_eq!(ask(Echo, &event).await.status, status, "{limit}");
    }
}
