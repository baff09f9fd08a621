//! `PATCH /monitor/redrives/{id}`: an administrator stops a redrive for a time, or lets it go on.
//!
//! Once this is answered no further letter is moved by a redrive that is paused; one that was being sent may arrive. What
//! it has become already is answered as the first time.

use shop_http::{
    Access, Call, Code, Contract, Endpoint, FieldCode, Input, Problem, Reply, Route, Start, patch,
};
use shop_lambda::{Clock, Function, StartError};
use shop_messaging::WorkQueue;
use shop_types::RedriveId;

use crate::redrive::{Redrive, RedriveView, Status};
use crate::store::Redrives;
use crate::work::Work;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<UpdateRedrive>();

pub(crate) struct UpdateRedrive {
    redrives: Redrives,
    queue: WorkQueue<Work>,
    clock: Clock,
}

impl Route for UpdateRedrive {
    const NAME: &'static str = "update-redrive";
    const ENDPOINT: Endpoint = patch("/monitor/redrives/{id}");
    const ACCESS: Access = Access::Admin;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            redrives: Redrives::start(start.environment(), start.client())?,
            queue: WorkQueue::start(start.environment(), "REDRIVES_QUEUE_URL")?,
            clock: start.clock(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Pauses a redrive or a discard, or lets it go on")
            .body(wanted)
            .ok::<RedriveView<'_>>("The redrive as it is now.")
            .codes([Code::IllegalTransition])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: RedriveId = call.id("redrive")?;
        let status = wanted(call.body()?)?;
        loop {
            let before = self.redrives.find(&id).await?.ok_or_else(|| Problem::not_found("redrive"))?;
            if before.status.has_ended() {
                let detail = "The redrive has ended: it cannot be paused, or go on.";
                return Err(
                    Problem::new(Code::IllegalTransition, detail).with("current_status", before.status)
                );
            }
            if before.status == status {
                if status == Status::Running {
                    // Somebody is at it, but for one whose message was lost.
                    self.queue.send_ahead(&Work::ahead(&before)).await.map_err(Problem::internal)?;
                }
                return Reply::ok(&before.view());
            }
            let after = Redrive {
                status,
                version: before.version + 1,
                updated_at: self.clock.now().max(before.updated_at),
                cause: call.cause(),
                ..before.clone()
            };
            if status == Status::Running {
                self.queue.send_ahead(&Work::ahead(&after)).await.map_err(Problem::internal)?;
            }
            if self.redrives.change(&before, &after).await? {
                if status == Status::Running {
                    self.queue.send(&Work::of(&after)).await.map_err(Problem::internal)?;
                }
                return Reply::ok(&after.view());
            }
            // It has ended meanwhile, or somebody else decided.
        }
    }
}

/// Reads the body: `{"status": "paused"}` or `{"status": "running"}`.
fn wanted(input: Input<'_>) -> Result<Status, Problem> {
    const CHOICES: [(&str, Status); 2] = [("paused", Status::Paused), ("running", Status::Running)];
    input.read_object(|body| {
        body.required("status", |node| {
            node.one_of(&CHOICES, FieldCode::UnknownStatus, "This must be paused or running.")
        })
    })
}
