//! `GET /imports/{id}/refusals`: the lines that were refused, and why, in the order of the file. Administrators only.
//!
//! Parts are done in any order: while an import runs, lines may come before those that were shown.

use serde::{Deserialize, Serialize};
use shop_http::{Access, Call, Contract, Cursor, Endpoint, Page, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};
use shop_types::ImportId;

use super::bucket::Bucket;
use super::refusal::RefusedLine;
use super::store::Imports;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ListImportRefusals>();

/// How many parts are looked at in one call of DynamoDB.
const PARTS: i32 = 1000;

pub(crate) struct ListImportRefusals {
    imports: Imports,
    bucket: Bucket,
}

/// Behind a line of a part.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Position {
    #[serde(rename = "p")]
    part: u32,
    #[serde(rename = "l")]
    line: u64,
}

impl Route for ListImportRefusals {
    const NAME: &'static str = "list-import-refusals";
    const ENDPOINT: Endpoint = get("/imports/{id}/refusals");
    const ACCESS: Access = Access::Admin;
    const QUERY: &'static [&'static str] = &["limit", "cursor"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            imports: Imports::start(start.environment(), start.client())?,
            bucket: Bucket::start(start.environment())?,
        })
    }

    fn contract() -> Contract {
        Contract::new("Lists the lines of an import that were refused, and why")
            .page::<RefusedLine>("A page of refused lines, in the order of the file.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: ImportId = call.id("import")?;
        let list = format!("/imports/{id}/refusals");
        let request = call.page::<Position>(&list)?;
        self.imports.find(&id).await?.ok_or_else(|| Problem::not_found("import"))?;
        let limit = usize::try_from(request.limit).unwrap_or(1);
        // One more than asked for, to know whether the list goes on.
        let mut found = self.lines(&id, request.after, limit + 1).await?;
        let goes_on = found.len() > limit;
        found.truncate(limit);
        let cursor = |position: Position| Cursor::encode(&list, position);
        let page =
            Page::fitting(&found, |(_, line)| Ok::<_, Problem>(line), |(position, _)| cursor(*position))?;
        let behind = || found.last().filter(|_| goes_on).map(|(position, _)| cursor(*position));
        let next_cursor = match page.next_cursor {
            Some(cursor) => Some(cursor),
            None => behind().transpose()?,
        };
        Reply::page(&Page { data: page.data, next_cursor }, &list, request.limit)
    }
}

impl ListImportRefusals {
    async fn lines(
        &self,
        id: &ImportId,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<(Position, RefusedLine)>, Problem> {
        let mut found = Vec::new();
        let mut next = after.map_or(0, |after| after.part);
        loop {
            let parts = self.imports.done_parts(id, next, PARTS).await?;
            let Some(last) = parts.last().map(|part| part.number) else { return Ok(found) };
            for part in parts {
                let Some(key) = part.refusals else { continue };
                let lines = self.bucket.refusals(&key).await.map_err(Problem::internal)?;
                let position = |line: &RefusedLine| Position { part: part.number, line: line.line };
                let is_behind = |line: &RefusedLine| {
                    after.is_none_or(|after| (part.number, line.line) > (after.part, after.line))
                };
                let lines = lines.into_iter().filter(is_behind).map(|line| (position(&line), line));
                found.extend(lines.take(limit - found.len()));
                if found.len() >= limit {
                    return Ok(found);
                }
            }
            next = last + 1;
        }
    }
}
