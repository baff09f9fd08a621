//! Dead letters: there are none that a scenario could bring about, and an operator may ask for them all the same.

use anyhow::Result;
use serde_json::json;

use crate::shop::Shop;
use crate::wait::{Look, until};

/// Whose letters are looked for.
const CONSUMER: &str = "settle-order";

/// What is asked for is done in the background, once for a key, and then it is over.
pub(super) async fn letters_are_looked_for_redriven_and_discarded(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    administrator.get("/monitor/dead-letters").await?.expect(200)?.at("/data")?;
    administrator.get(format!("/monitor/queues/{CONSUMER}/dead-letters")).await?.expect(200)?.at("/data")?;
    let nobody = shop.unique("nobody");
    administrator.get(format!("/monitor/queues/{nobody}/dead-letters")).await?.problem(404, "not_found")?;
    let body = json!({ "consumer": nobody, "reason": "It is mended" });
    administrator.post("/monitor/redrives").json(&body).await?.problem(422, "invalid_request")?;
    let absent = "/monitor/dead-letters/letter_00000000000000000000000001";
    administrator.get(absent).await?.problem(404, "not_found")?;
    for path in ["/monitor/redrives", "/monitor/discards"] {
        // Of a failure that no consumer has: whatever letters there are stay where they are.
        let body = json!({ "consumer": CONSUMER, "failure_code": nobody, "reason": "It is mended" });
        let asked = administrator.post(path).json(&body).await?.expect(202)?;
        asked.has("/letters/matched", 0)?;
        let address = format!("/monitor/redrives/{}", asked.string("/id")?);
        until(&format!("{address} to end"), shop.patience(), async || {
            let redrive = administrator.get(address.clone()).await?.expect(200)?;
            Ok(match redrive.string("/status")? {
                "done" => Look::Done(()),
                _ => Look::NotYet(redrive.body),
            })
        })
        .await?;
        let late = administrator.patch(address.clone()).json(&json!({ "status": "paused" })).await?;
        late.problem(409, "illegal_transition")?;
        administrator
            .post(path)
            .json(&json!({ "consumer": "No Consumer" }))
            .await?
            .problem(422, "invalid_request")?;
    }
    Ok(())
}
