//! How a stream batch is worked off: what is delivered next after a success, a failure, or a part of each.
//!
//! It follows Lambda: everything before the lowest failed record is done; the rest is tried again, cut in
//! two where the mapping says so, until it succeeds or its retries are used up. Cutting does not count as
//! a retry, so in the end only the record that cannot be handled is given up.

use std::ops::Range;

/// A part of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: usize,
    end: usize,
    /// How often it has failed as it is.
    pub(super) attempts: u32,
}

impl Span {
    pub(super) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// Why records are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

/// What comes after a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next part.
    Continue,
    /// A wait, because the next part has failed this often.
    Retry { attempts: u32 },
    /// This part is given up.
    GiveUp(Span),
}

/// What is left of a batch.
#[derive(Debug)]
pub(super) struct Plan {
    /// The parts that are still to be delivered, the first one last.
    left: Vec<Span>,
    bisect: bool,
    /// Without a number a part is tried until it expires.
    maximum_retries: Option<u32>,
}

impl Plan {
    pub(super) fn new(records: usize, bisect: bool, maximum_retries: Option<u32>) -> Self {
        Self { left: vec![Span { start: 0, end: records, attempts: 0 }], bisect, maximum_retries }
    }

    /// The part to deliver next.
    pub(super) fn next(&mut self) -> Option<Span> {
        self.left.pop()
    }

    /// Leaves the first record of a part out.
    pub(super) fn skip_first(&mut self, span: Span) {
        if span.start + 1 < span.end {
            self.left.push(Span { start: span.start + 1, ..span });
        }
    }

    /// Takes in how a delivery ended: with all handled, or with a failure at a place in the part.
    pub(super) fn report(&mut self, span: Span, lowest_failure: Option<usize>) -> Next {
        let Some(place) = lowest_failure else { return Next::Continue };
        let start = span.start + place;
        let progressed = place > 0;
        // What failed first is new, so it has failed once.
        let attempts = if progressed { 1 } else { span.attempts + 1 };
        let rest = Span { start, end: span.end, attempts };
        if self.bisect && rest.end - rest.start > 1 {
            let middle = start + (span.end - start).div_ceil(2);
            self.left.push(Span { start: middle, end: span.end, attempts: 0 });
            self.left.push(Span { start, end: middle, attempts: 0 });
            return Next::Continue;
        }
        if self.maximum_retries.is_some_and(|maximum| attempts > maximum) {
            return Next::GiveUp(rest);
        }
        self.left.push(rest);
        Next::Retry { attempts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Works a batch off against a function that always fails at the given records, and reports the first
    /// of them. Returns the deliveries and what was given up.
    fn work(records: usize, poison: &[usize], bisect: bool, retries: u32) -> (Vec<Range<usize>>, Vec<usize>) {
        let mut plan = Plan::new(records, bisect, Some(retries));
        let (mut deliveries, mut given_up) = (Vec::new(), Vec::new());
        while let Some(span) = plan.next() {
            deliveries.push(span.range());
            let lowest =
                span.range().find(|record| poison.contains(record)).map(|record| record - span.start);
            if let Next::GiveUp(rest) = plan.report(span, lowest) {
                given_up.extend(rest.range());
            }
        }
        (deliveries, given_up)
    }

    #[test]
    fn a_batch_without_failures_is_delivered_once() {
        let (deliveries, given_up) = work(10, &[], true, 3);
        assert_eq!((deliveries.len(), given_up.len()), (1, 0));
    }

    #[test]
    fn a_poison_record_is_given_up_alone_and_the_order_is_kept() {
        let (deliveries, given_up) = work(8, &[3], true, 1);
        assert_eq!(given_up, [3]);
        // The rest after the failed record is delivered after it, in order.
        let starts: Vec<usize> = deliveries.iter().map(|range| range.start).collect();
        assert!(starts.is_sorted(), "{deliveries:?}");
        assert_eq!(deliveries.iter().filter(|range| **range == (3..4)).count(), 2);
        assert_eq!(deliveries.last(), Some(&(6..8)));
    }

    #[test]
    fn every_poison_record_is_found() {
        assert_eq!(work(100, &[0, 41, 42, 99], true, 2).1, [0, 41, 42, 99]);
    }

    #[test]
    fn without_bisection_the_rest_of_the_batch_is_given_up() {
        let (deliveries, given_up) = work(4, &[2], false, 2);
        assert_eq!(deliveries, [0..4, 2..4, 2..4]);
        assert_eq!(given_up, [2, 3]);
    }
}
