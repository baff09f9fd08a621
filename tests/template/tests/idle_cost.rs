//! What a stack costs that nobody uses, counted in the template: alarms, secrets and dashboards, by AWS's list prices of
//! us-east-1. Docs/decisions/0068 says the same figures.

use std::collections::BTreeMap;

use template_truth::template::Template;
use template_truth::{project, rules};

/// Hundredths of a USD a month, <https://aws.amazon.com/cloudwatch/pricing/>.
const ALARM: usize = 10;
const FREE_ALARMS: usize = 10;
const DASHBOARD: usize = 300;
const FREE_DASHBOARDS: usize = 3;
/// <https://aws.amazon.com/secrets-manager/pricing/>
const SECRET: usize = 40;

/// What a stack with these parameters has of a type.
fn count(template: &Template, values: &BTreeMap<&str, &str>, kind: &str) -> usize {
    rules::present(template, values, kind).len()
}

/// Hundredths of a USD a month, in an account that has nothing else.
fn idle(template: &Template, values: &BTreeMap<&str, &str>) -> usize {
    let alarms = count(template, values, "AWS::CloudWatch::Alarm").saturating_sub(FREE_ALARMS);
    let dashboards = count(template, values, "AWS::CloudWatch::Dashboard").saturating_sub(FREE_DASHBOARDS);
    let secrets = count(template, values, "AWS::SecretsManager::Secret");
    alarms * ALARM + dashboards * DASHBOARD + secrets * SECRET
}

#[test]
fn a_stack_that_nobody_uses_costs_what_is_said() {
    let template = project::template().unwrap();
    let decision = project::text("docs/decisions/0068-what-alarms-cost.md").unwrap();
    let told = BTreeMap::from([("AlarmEmail", "ops@example.com"), ("EmailFrom", "shop@example.com")]);
    let (quiet, watched) = (idle(&template, &BTreeMap::new()), idle(&template, &told));
    let usd = |hundredths: usize| format!("{}.{:02} USD", hundredths / 100, hundredths % 100);
    println!("without AlarmEmail {}, with it and mails {}", usd(quiet), usd(watched));
    assert!(quiet <= 300, "{}: more than a stack without alarms should cost", usd(quiet));
    for figure in [quiet, watched] {
        assert!(decision.contains(&usd(figure)), "the decision does not say {}", usd(figure));
    }
}
