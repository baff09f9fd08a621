//! Every check against the embedded cloud, in virtual time.

use conformance::{Report, Target, known};
use shop_local::cloud::simulated_runtime;

#[test]
fn the_embedded_cloud_does_what_the_shop_relies_on() -> anyhow::Result<()> {
    let report = simulated_runtime()?.block_on(async {
        let target = Target::embedded().await?;
        anyhow::Ok(Report::of(&target, known::EMBEDDED).await)
    })?;
    let problems = report.problems();
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}
