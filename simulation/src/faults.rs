//! The registry of faults: what may go wrong between the functions and AWS, by name, with the rates that
//! a seed draws for each.

use std::fmt;
use std::str::FromStr;

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal;)+) => {
        /// Something that may go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Fault {
            /// Every fault.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name, for the command line and the reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it is, in one sentence.
            #[must_use]
            pub(crate) const fn what(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+),)+ }
            }
        }
    };
}

faults! {
    /// An AWS call gets no answer in time, and has not been carried out.
    TimeoutBefore = "timeout-before";
    /// An AWS call gets no answer in time, and has been carried out.
    TimeoutAfter = "timeout-after";
    /// The connection is lost before a call is carried out.
    DisconnectBefore = "disconnect-before";
    /// The connection is lost after a call was carried out.
    DisconnectAfter = "disconnect-after";
    /// A service answers that it is asked too often.
    Throttling = "throttling";
    /// A write meets a transaction at the same item.
    TransactionConflict = "transaction-conflict";
    /// A read that is not consistent, or one of an index, shows the past.
    StaleReads = "stale-reads";
    /// A batch leaves keys or writes unprocessed.
    Unprocessed = "unprocessed";
    /// A publication reaches a queue twice.
    DuplicatePublication = "duplicate-publication";
    /// A publication reaches a queue late, and so out of order.
    LatePublication = "late-publication";
    /// Some entries of a batch fail: events are not published, messages not put off.
    PartialBatch = "partial-batch";
    /// A batch is delivered twice in a row.
    DuplicateDelivery = "duplicate-delivery";
    /// A batch is delivered late.
    LateDelivery = "late-delivery";
    /// Messages become visible again while they are worked on.
    ShortVisibility = "short-visibility";
    /// A function dies just before or just after an AWS call takes effect.
    CrashAtCall = "crash-at-call";
    /// A function dies at any moment, in a pause of its own for example.
    CrashAtAnyTime = "crash-at-any-time";
    /// A consumer takes nothing for hours.
    ConsumerDown = "consumer-down";
    /// A consumer fails at once for an hour, so that messages run out of tries.
    ConsumerBroken = "consumer-broken";
    /// A relay takes nothing for hours.
    RelayDown = "relay-down";
    /// A relay takes nothing for 48 hours, twice as long as a stream keeps its records.
    RelayOutage = "relay-outage-48h";
    /// The clock of an environment is some seconds ahead or behind.
    ClockSkew = "clock-skew";
    /// A message that is no event lies in a queue.
    MalformedMessage = "malformed-message";
    /// An item that no function writes lies in a table, so that the stream has a record that is no event.
    MalformedRecord = "malformed-record";
    /// DynamoDB refuses a consumer for an hour.
    DependencyDown = "dependency-down";
    /// SES refuses everybody for an hour, or does not answer.
    MailServiceDown = "mail-service-down";
    /// CloudFront takes no invalidation for an hour, or does not answer.
    EdgeServiceDown = "edge-service-down";
    /// What SES says of a message reaches no queue.
    LostFeedback = "lost-feedback";
    /// What SES says of a message comes many minutes late.
    LateFeedback = "late-feedback";
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|fault| fault.name() == name);
        found.ok_or_else(|| format!("there is no fault {name}"))
    }
}

/// How often each fault happens, in ten thousandths of its occasions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rates(Vec<u32>);

/// What is one in [`Rates`].
const ONE: u32 = 10_000;

impl Rates {
    #[must_use]
    pub(crate) fn none() -> Self {
        Self(vec![0; Fault::ALL.len()])
    }

    /// The rates of a seed: a tenth of the seeds have none; in the others each fault is absent, rare, common or
    /// frequent.
    pub(crate) fn draw(random: &mut StdRng) -> Self {
        let mut rates = Self::none();
        let is_faultless = random.random_ratio(1, 10);
        for (place, fault) in Fault::ALL.iter().enumerate() {
            // Drawn in any case, so that one fault's rate does not move the others'.
            let drawn = random.next_u32() % 100;
            let rate = match fault {
                // Outages are events of a whole run: this is how many runs have them.
                Fault::RelayOutage => u32::from(drawn < 1) * ONE,
                Fault::ConsumerDown | Fault::RelayDown | Fault::ConsumerBroken => u32::from(drawn < 5) * ONE,
                Fault::DependencyDown | Fault::MailServiceDown => u32::from(drawn < 10) * ONE,
                Fault::MalformedMessage | Fault::MalformedRecord => u32::from(drawn < 20) * ONE,
                Fault::ClockSkew => u32::from(drawn < 30) * ONE,
                _ => match drawn {
                    0..50 => 0,
                    50..75 => 50,
                    75..93 => 250,
                    _ => 1000,
                },
            };
            if !is_faultless {
                rates.0[place] = rate;
            }
        }
        rates
    }

    /// Has a fault happen at every occasion.
    pub(crate) fn always(&mut self, fault: Fault) {
        self.0[fault as usize] = ONE;
    }

    /// The same rates, with only these faults.
    #[must_use]
    pub(crate) fn only(&self, faults: &[Fault]) -> Self {
        let rate = |(fault, rate): (&Fault, &u32)| if faults.contains(fault) { *rate } else { 0 };
        Self(Fault::ALL.iter().zip(&self.0).map(rate).collect())
    }

    /// The faults that happen at all.
    #[must_use]
    pub(crate) fn faults(&self) -> Vec<Fault> {
        Fault::ALL.iter().zip(&self.0).filter(|(_, rate)| **rate > 0).map(|(fault, _)| *fault).collect()
    }

    /// Whether a fault happens at all.
    #[must_use]
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.0[fault as usize] > 0
    }

    /// Whether a fault happens now.
    pub(crate) fn injects(&self, fault: Fault, random: &mut StdRng) -> bool {
        let rate = self.0[fault as usize];
        rate > 0 && random.next_u32() % ONE < rate
    }
}
