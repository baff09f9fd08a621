//! S3 through the SDK, as functions call it, and through presigned URLs, as their clients do.

use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

use crate::cloud::{Cloud, Mode, Options, simulated_runtime};
use crate::template::Template;

const TEMPLATE: &str = "
Resources:
  ImportsBucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketEncryption: {ServerSideEncryptionConfiguration: []}
      PublicAccessBlockConfiguration: {BlockPublicAcls: true}
";
const BUCKET: &str = "importsbucket";
const MEGABYTE: usize = 1024 * 1024;

async fn cloud(mode: Mode) -> Cloud {
    let template = Template::parse(TEMPLATE, &std::collections::BTreeMap::new()).unwrap();
    Cloud::start(&template, &[], Options::new(mode)).await.unwrap()
}

async fn memory() -> Cloud {
    cloud(Mode::Real { data_dir: None }).await
}

fn client(cloud: &Cloud) -> Client {
    Client::from_conf(Builder::from(&cloud.sdk_config("tests")).build())
}

async fn put(client: &Client, key: &str, body: &'static [u8]) -> String {
    let put = client.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(body));
    put.send().await.unwrap().e_tag.unwrap()
}

async fn get(client: &Client, key: &str) -> Vec<u8> {
    let got = client.get_object().bucket(BUCKET).key(key).send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

/// The status and the code of a refusal.
fn refusal<T, E>(
    result: Result<T, SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>>,
) -> (u16, String)
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let Err(error) = result else { panic!("it was not refused") };
    let status = error.raw_response().unwrap().status().as_u16();
    (status, error.code().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn an_object_is_put_read_listed_and_deleted() {
    let cloud = memory().await;
    let client = client(&cloud);
    for key in ["a/2", "a/1 ä+b", "b/1"] {
        put(&client, key, b"hello").await;
    }
    assert_eq!(get(&client, "a/1 ä+b").await, b"hello");
    let head = client.head_object().bucket(BUCKET).key("a/2").send().await.unwrap();
    assert_eq!(head.content_length, Some(5));
    let list = || client.list_objects_v2().bucket(BUCKET).prefix("a/").max_keys(1);
    let first = list().send().await.unwrap();
    assert_eq!((first.contents()[0].key(), first.is_truncated()), (Some("a/1 ä+b"), Some(true)));
    let token = first.next_continuation_token.unwrap();
    let second = list().continuation_token(token).send().await.unwrap();
    assert_eq!((second.contents()[0].key(), second.is_truncated()), (Some("a/2"), Some(false)));
    client.delete_object().bucket(BUCKET).key("a/2").send().await.unwrap();
    let gone = client.get_object().bucket(BUCKET).key("a/2").send().await;
    assert_eq!(refusal(gone), (404, "NoSuchKey".to_owned()));
    let other = client.get_object().bucket("another").key("a/2").send().await;
    assert_eq!(refusal(other), (404, "NoSuchBucket".to_owned()));
}

#[tokio::test]
async fn conditions_are_those_of_the_object_that_is_there() {
    let cloud = memory().await;
    let client = client(&cloud);
    let put_if = || client.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"x"));
    put_if().if_none_match("*").send().await.unwrap();
    let failed = (412, "PreconditionFailed".to_owned());
    assert_eq!(refusal(put_if().if_none_match("*").send().await), failed);
    let etag = put(&client, "k", b"second").await;
    assert_eq!(refusal(put_if().if_match("\"00\"").send().await), failed);
    let read = || client.get_object().bucket(BUCKET).key("k");
    assert_eq!(refusal(read().if_match("\"00\"").send().await), failed);
    assert_eq!(refusal(read().if_none_match(&etag).send().await).0, 304);
    assert_eq!(get(&client, "k").await, b"second");
    put_if().if_match(&etag).send().await.unwrap();
    assert_eq!(get(&client, "k").await, b"x");
    let absent = client.put_object().bucket(BUCKET).key("absent").if_match(&etag).send().await;
    assert_eq!(refusal(absent), (404, "NoSuchKey".to_owned()));
}

#[tokio::test]
async fn a_range_is_of_any_chunks() {
    let cloud = memory().await;
    let client = client(&cloud);
    let body: Vec<u8> = (0..MEGABYTE).map(|place| u8::try_from(place % 251).unwrap()).collect();
    let whole = ByteStream::from(body.clone());
    client.put_object().bucket(BUCKET).key("k").body(whole).send().await.unwrap();
    let (chunk, end) = (256 * 1024, MEGABYTE - 1);
    for (from, to) in
        [(0, 0), (5, 9), (chunk - 1, chunk), (chunk, chunk), (0, end), (300_000, 800_000), (end, end)]
    {
        let range = format!("bytes={from}-{to}");
        let got = client.get_object().bucket(BUCKET).key("k").range(range).send().await.unwrap();
        assert_eq!(got.content_range, Some(format!("bytes {from}-{to}/{MEGABYTE}")));
        assert_eq!(got.body.collect().await.unwrap().to_vec(), body[from..=to], "{from}-{to}");
    }
    let beyond = client.get_object().bucket(BUCKET).key("k").range("bytes=1048576-").send().await;
    assert_eq!(refusal(beyond), (416, "InvalidRange".to_owned()));
}

#[tokio::test]
async fn parts_become_one_object() {
    let cloud = memory().await;
    let client = client(&cloud);
    let begun = client.create_multipart_upload().bucket(BUCKET).key("k").send().await.unwrap();
    let id = begun.upload_id.unwrap();
    let part = |number: i32, body: Vec<u8>| {
        let part = client.upload_part().bucket(BUCKET).key("k").upload_id(&id).part_number(number);
        let sent = part.body(ByteStream::from(body)).send();
        async move {
            let etag = sent.await.unwrap().e_tag.unwrap();
            CompletedPart::builder().part_number(number).e_tag(etag).build()
        }
    };
    let complete = |parts: Vec<CompletedPart>| {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let upload = client.complete_multipart_upload().bucket(BUCKET).key("k").upload_id(&id);
        upload.multipart_upload(parts).send()
    };
    let replaced = part(1, vec![b'x'; 10]).await;
    let small = part(1, vec![b'a'; 10]).await;
    let last = part(2, b"end".to_vec()).await;
    assert_eq!(refusal(complete(vec![replaced, last.clone()]).await), (400, "InvalidPart".to_owned()));
    assert_eq!(refusal(complete(vec![small, last.clone()]).await), (400, "EntityTooSmall".to_owned()));
    let first = part(1, vec![b'a'; 5 * MEGABYTE]).await;
    let backwards = complete(vec![last.clone(), first.clone()]).await;
    assert_eq!(refusal(backwards), (400, "InvalidPartOrder".to_owned()));
    let done = complete(vec![first.clone(), last.clone()]).await.unwrap();
    assert!(done.e_tag.unwrap().ends_with("-2\""));
    let body = get(&client, "k").await;
    assert_eq!((body.len(), &body[5 * MEGABYTE..]), (5 * MEGABYTE + 3, &b"end"[..]));
    assert_eq!(refusal(complete(vec![first, last]).await), (404, "NoSuchUpload".to_owned()));
}

#[tokio::test]
async fn an_upload_that_is_aborted_leaves_nothing() {
    let cloud = memory().await;
    let client = client(&cloud);
    let begun = client.create_multipart_upload().bucket(BUCKET).key("k").send().await.unwrap();
    let id = begun.upload_id.unwrap();
    let abort = || client.abort_multipart_upload().bucket(BUCKET).key("k").upload_id(&id).send();
    abort().await.unwrap();
    assert_eq!(refusal(abort().await), (404, "NoSuchUpload".to_owned()));
    assert_eq!(client.list_objects_v2().bucket(BUCKET).send().await.unwrap().key_count, Some(0));
}

async fn presigned_put(client: &Client, now: SystemTime) -> PresignedRequest {
    let config = PresigningConfig::builder().start_time(now).expires_in(Duration::from_mins(15));
    let put = client.put_object().bucket(BUCKET).key("uploads/a b").content_type("text/csv");
    put.presigned(config.build().unwrap()).await.unwrap()
}

fn as_sent(presigned: &PresignedRequest, change: impl Fn(String) -> String) -> http::Request<Bytes> {
    let mut request =
        http::Request::builder().method(presigned.method()).uri(change(presigned.uri().to_owned()));
    for (name, value) in presigned.headers() {
        request = request.header(name, value);
    }
    request.body(Bytes::from_static(b"id,name\n")).unwrap()
}

async fn status(cloud: &Cloud, request: http::Request<Bytes>) -> (u16, String) {
    let answer = cloud.invoke_presigned(request).await.unwrap();
    (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
}

#[test]
fn a_presigned_url_is_for_what_it_names_and_for_its_time() {
    simulated_runtime().unwrap().block_on(async {
        let cloud = cloud(Mode::Simulated { seed: 1 }).await;
        let client = client(&cloud);
        let now = || cloud.sdk_config("tests").time_source().unwrap().now();
        let presigned = presigned_put(&client, now()).await;
        let uri = presigned.uri();
        assert!(uri.starts_with("http://importsbucket.aws.localhost/uploads/a%20b?"), "{uri}");
        for (what, altered) in [
            ("another key", as_sent(&presigned, |uri| uri.replace("a%20b", "a%20c"))),
            ("longer", as_sent(&presigned, |uri| uri.replace("X-Amz-Expires=900", "X-Amz-Expires=901"))),
            ("another's", as_sent(&presigned, |uri| uri.replace("Credential=tests", "Credential=testz"))),
            ("another bucket", as_sent(&presigned, |uri| uri.replace("importsbucket", "importsbuckes"))),
        ] {
            let (status, body) = status(&cloud, altered).await;
            assert_eq!(status, 403, "{what}");
            assert!(body.contains("<Code>SignatureDoesNotMatch</Code>"), "{what}: {body}");
        }
        let mut other_method = as_sent(&presigned, |uri| uri);
        *other_method.method_mut() = http::Method::GET;
        assert_eq!(status(&cloud, other_method).await.0, 403);
        let mut other_type = as_sent(&presigned, |uri| uri);
        other_type.headers_mut().insert("content-type", http::HeaderValue::from_static("text/html"));
        assert_eq!(status(&cloud, other_type).await.0, 403);
        let without = as_sent(&presigned, |uri| uri.replace("X-Amz-Date", "X-Amz-Dat"));
        assert_eq!(status(&cloud, without).await.0, 400);

        let early = presigned_put(&client, now() + Duration::from_secs(901)).await;
        assert_eq!(status(&cloud, as_sent(&early, |uri| uri)).await.0, 403);

        assert_eq!(status(&cloud, as_sent(&presigned, |uri| uri)).await, (200, String::new()));
        assert_eq!(get(&client, "uploads/a b").await, b"id,name\n");
        tokio::time::sleep(Duration::from_secs(899)).await;
        assert_eq!(status(&cloud, as_sent(&presigned, |uri| uri)).await.0, 200);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (status, body) = status(&cloud, as_sent(&presigned, |uri| uri)).await;
        assert!(status == 403 && body.contains("Request has expired"), "{status} {body}");
    });
}

#[tokio::test]
async fn what_is_kept_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| Mode::Real { data_dir: Some(path.to_owned()) };
    let before = cloud(mode(folder.path())).await;
    let etag = put(&client(&before), "k", b"kept").await;
    before.stop().await;
    let after = cloud(mode(folder.path())).await;
    let client = client(&after);
    assert_eq!(get(&client, "k").await, b"kept");
    // A number is not given out twice.
    assert_ne!(put(&client, "k", b"other").await, etag);
}
