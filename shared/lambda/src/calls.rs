//! How an AWS call is made: how long it may take, and how often and how soon it is tried again. A function on AWS and
//! one in the embedded cloud have the same of it.

use std::time::Duration;

use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// An AWS call that has not connected by then will not; Lambda and DynamoDB share a region.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// One attempt. DynamoDB answers in milliseconds; a stuck connection is better replaced than awaited.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest pause before the second attempt. It doubles with each attempt, and each pause is random, between none
/// and the longest. The SDK's default is a second, and a caller waits: DynamoDB has mostly recovered after a few
/// milliseconds.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
/// All attempts of one call: below every function's own timeout in template.yaml.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

/// Which defaults of the SDK hold. Pinned: "latest" would change retries and timeouts with a lock file.
#[must_use]
pub fn behavior_version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Three attempts, the next of them soon.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_initial_backoff(FIRST_BACKOFF)
}

/// How long an attempt, and all attempts of a call, may take.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build()
}
