//! A bucket: objects, conditions, ranges, lists and uploads in parts.

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::answers::{refused, taken};
use crate::target::Target;

const BUCKET: &str = "ObjectsBucket";
/// The least that a part has which is not the last
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const LEAST_PART: usize = 5 * 1024 * 1024;

fn put(on: &Target, key: &str, body: impl Into<Vec<u8>>) -> Result<PutObjectFluentBuilder> {
    Ok(on.s3.put_object().bucket(on.name(BUCKET)?).key(key).body(ByteStream::from(body.into())))
}

/// Puts an object; its `ETag`.
async fn stored(on: &Target, key: &str, body: &str) -> Result<String> {
    taken(put(on, key, body)?.send().await)?.e_tag.context("an ETag")
}

fn get(on: &Target, key: &str) -> Result<GetObjectFluentBuilder> {
    Ok(on.s3.get_object().bucket(on.name(BUCKET)?).key(key))
}

async fn content(get: GetObjectFluentBuilder) -> Result<Vec<u8>> {
    Ok(taken(get.send().await)?.body.collect().await?.to_vec())
}

pub(super) async fn an_object_comes_back_as_it_was(on: &Target) -> Result<()> {
    let key = "as it was/ä+b%20c";
    let put = put(on, key, [0, 13, 10, 255])?.content_type("text/csv");
    taken(put.send().await)?;
    let answer = taken(get(on, key)?.send().await)?;
    let said = (answer.content_type(), answer.content_length());
    ensure!(said == (Some("text/csv"), Some(4)), "it is said to be {said:?}");
    let body = answer.body.collect().await?.to_vec();
    ensure!(body == [0, 13, 10, 255], "it is {body:?}");
    Ok(())
}

pub(super) async fn an_object_that_is_not_there_has_no_key(on: &Target) -> Result<()> {
    refused(get(on, "not-there")?.send().await, "NoSuchKey")
}

pub(super) async fn deleting_again_is_no_error(on: &Target) -> Result<()> {
    stored(on, "deleted", "once").await?;
    for _ in 0..2 {
        taken(on.s3.delete_object().bucket(on.name(BUCKET)?).key("deleted").send().await)?;
    }
    refused(get(on, "deleted")?.send().await, "NoSuchKey")
}

pub(super) async fn only_the_first_put_finds_none(on: &Target) -> Result<()> {
    taken(put(on, "first", "a")?.if_none_match("*").send().await)?;
    refused(put(on, "first", "b")?.if_none_match("*").send().await, "PreconditionFailed")?;
    let kept = content(get(on, "first")?).await?;
    ensure!(kept == b"a", "it is {kept:?}");
    Ok(())
}

pub(super) async fn one_of_two_that_have_read_the_same_writes(on: &Target) -> Result<()> {
    let read = stored(on, "raced", "a").await?;
    taken(put(on, "raced", "b")?.if_match(&read).send().await)?;
    refused(put(on, "raced", "c")?.if_match(&read).send().await, "PreconditionFailed")?;
    let kept = content(get(on, "raced")?).await?;
    ensure!(kept == b"b", "it is {kept:?}");
    refused(put(on, "never there", "c")?.if_match(&read).send().await, "NoSuchKey")
}

pub(super) async fn what_one_has_is_not_sent_again(on: &Target) -> Result<()> {
    let etag = stored(on, "had", "a").await?;
    let answer = get(on, "had")?.if_none_match(&etag).send().await;
    let status = match &answer {
        Err(SdkError::ServiceError(error)) => error.raw().status().as_u16(),
        _ => 200,
    };
    ensure!(status == 304, "the status is {status}");
    let changed = stored(on, "had", "b").await?;
    ensure!(changed != etag, "another content has the same ETag");
    let now = content(get(on, "had")?.if_none_match(&etag)).await?;
    ensure!(now == b"b", "it is {now:?}");
    Ok(())
}

pub(super) async fn a_range_is_cut_out(on: &Target) -> Result<()> {
    stored(on, "ranged", "0123456789").await?;
    for (range, cut, said) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
    ] {
        let answer = taken(get(on, "ranged")?.range(range).send().await)?;
        ensure!(answer.content_range() == Some(said), "{range}: {:?}", answer.content_range());
        let body = answer.body.collect().await?.to_vec();
        ensure!(body == cut.as_bytes(), "{range}: {body:?}");
    }
    refused(get(on, "ranged")?.range("bytes=10-").send().await, "InvalidRange")
}

pub(super) async fn a_list_has_pages_in_order(on: &Target) -> Result<()> {
    for key in ["listed/b", "listed/a", "listed/c", "unlisted"] {
        stored(on, key, "").await?;
    }
    let (mut keys, mut token) = (Vec::new(), None);
    loop {
        let list = on.s3.list_objects_v2().bucket(on.name(BUCKET)?).prefix("listed/").max_keys(2);
        let page = taken(list.set_continuation_token(token).send().await)?;
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        token = page.next_continuation_token;
        if token.is_none() {
            break;
        }
        ensure!(keys.len() == 2, "the first page is {keys:?}");
    }
    ensure!(keys == ["listed/a", "listed/b", "listed/c"], "the keys are {keys:?}");
    Ok(())
}

/// An upload in parts that is on its way.
struct Upload<'a> {
    on: &'a Target,
    key: &'static str,
    id: String,
}

impl<'a> Upload<'a> {
    async fn begun(on: &'a Target, key: &'static str) -> Result<Self> {
        let answer = taken(on.s3.create_multipart_upload().bucket(on.name(BUCKET)?).key(key).send().await)?;
        Ok(Self { on, key, id: answer.upload_id.context("an upload id")? })
    }

    async fn part(&self, number: i32, body: Vec<u8>) -> Result<CompletedPart> {
        let part = self.on.s3.upload_part().bucket(self.on.name(BUCKET)?).key(self.key).upload_id(&self.id);
        let answer = taken(part.part_number(number).body(ByteStream::from(body)).send().await)?;
        Ok(CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag).build())
    }

    fn completed(&self, parts: Vec<CompletedPart>) -> Result<CompleteMultipartUploadFluentBuilder> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = self.on.s3.complete_multipart_upload().bucket(self.on.name(BUCKET)?).key(self.key);
        Ok(complete.upload_id(&self.id).multipart_upload(parts))
    }
}

pub(super) async fn parts_become_one_object(on: &Target) -> Result<()> {
    let upload = Upload::begun(on, "in-parts").await?;
    let first = upload.part(1, vec![b'a'; LEAST_PART]).await?;
    let last = upload.part(2, b"end".to_vec()).await?;
    refused(get(on, "in-parts")?.send().await, "NoSuchKey").context("before it is complete")?;
    taken(upload.completed(vec![first, last])?.send().await)?;
    let whole = content(get(on, "in-parts")?).await?;
    ensure!(whole.len() == LEAST_PART + 3 && whole.ends_with(b"aend"), "it has {} bytes", whole.len());
    Ok(())
}

pub(super) async fn a_small_part_is_the_last(on: &Target) -> Result<()> {
    let upload = Upload::begun(on, "small-part").await?;
    let parts = vec![upload.part(1, vec![b'a'; 10]).await?, upload.part(2, b"end".to_vec()).await?];
    refused(upload.completed(parts)?.send().await, "EntityTooSmall")
}

pub(super) async fn an_upload_that_is_aborted_leaves_nothing(on: &Target) -> Result<()> {
    let upload = Upload::begun(on, "aborted").await?;
    let part = upload.part(1, b"gone".to_vec()).await?;
    let abort = on.s3.abort_multipart_upload().bucket(on.name(BUCKET)?).key("aborted");
    taken(abort.upload_id(&upload.id).send().await)?;
    refused(upload.completed(vec![part])?.send().await, "NoSuchUpload")?;
    refused(get(on, "aborted")?.send().await, "NoSuchKey")
}
