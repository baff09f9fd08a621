//! `ClientRequestToken`: a transaction that is sent again within ten minutes takes effect once.

use std::collections::{BTreeMap, VecDeque};

use crate::cloud::AwsError;

/// How long DynamoDB remembers a token, in milliseconds.
const REMEMBERED: i64 = 600_000;
/// The SDK puts a token of its own on every transaction, so most are never seen again: the oldest are
/// forgotten early rather than kept in memory.
const MOST: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Tokens {
    known: BTreeMap<String, Known>,
    oldest_first: VecDeque<(i64, String)>,
}

#[derive(Debug)]
struct Known {
    digest: u64,
    answer: Vec<u8>,
}

impl Tokens {
    /// The answer that the token's first use was given.
    pub(super) fn replay(&mut self, token: &str, digest: u64, now: i64) -> Result<Option<Vec<u8>>, AwsError> {
        while let Some((time, _)) = self.oldest_first.front()
            && (now.saturating_sub(*time) > REMEMBERED || self.oldest_first.len() > MOST)
        {
            if let Some((_, token)) = self.oldest_first.pop_front() {
                self.known.remove(&token);
            }
        }
        match self.known.get(token) {
            None => Ok(None),
            Some(known) if known.digest == digest => Ok(Some(known.answer.clone())),
            Some(_) => Err(AwsError::client(
                "IdempotentParameterMismatchException",
                "the token was used with another request",
            )),
        }
    }

    pub(super) fn remember(&mut self, token: String, digest: u64, now: i64, answer: Vec<u8>) {
        self.oldest_first.push_back((now, token.clone()));
        self.known.insert(token, Known { digest, answer });
    }
}
