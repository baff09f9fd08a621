//! Settles requests against the stock state: reads it, plans, writes, and begins anew where others were faster.

use shop_dynamo::StoreError;
use shop_lambda::Clock;

use crate::plan::{ReservationRequest, Step, plan};
use crate::store::{Kind, Store};

/// Settles requests, however much of them is settled already; whether there was anything to write.
pub(crate) async fn settle(
    store: &Store,
    clock: &Clock,
    requests: &[ReservationRequest],
) -> Result<bool, StoreError> {
    let mut tries = store.tries(Kind::Reservation);
    let mut wrote = false;
    loop {
        let state = store.stock_state(requests).await?;
        let steps = plan(requests, state, clock.now());
        let done = carry_out(store, &steps).await?;
        wrote |= done > 0;
        if done == steps.len() {
            return Ok(wrote);
        }
        tries.pause().await?;
    }
}

/// Carries out a plan as long as the state is the one that it was made from; how many of its steps.
async fn carry_out(store: &Store, steps: &[Step]) -> Result<usize, StoreError> {
    for (done, step) in steps.iter().enumerate() {
        if !store.carry_out(step).await? {
            return Ok(done);
        }
    }
    Ok(steps.len())
}
