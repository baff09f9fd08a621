//! Time as the shop writes it: whole milliseconds, UTC, RFC 3339.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z. In JSON an RFC 3339 string in UTC with three
/// digits of a second, so that its text sorts as its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct ParseTimestampError;

impl Timestamp {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The first moment that is not before a time, given as RFC 3339 writes it: its digits beyond milliseconds are
    /// rounded up, where [`FromStr`] cuts them off.
    ///
    /// # Errors
    /// The text is no such time, or it is one before the year 0 or behind the year 9999 in UTC.
    pub fn at_or_after(text: &str) -> Result<Self, ParseTimestampError> {
        let t = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| ParseTimestampError)?;
        Self::of_calendar((t.unix_timestamp_nanos() + 999_999).div_euclid(1_000_000))
    }

    /// A moment that has a text: RFC 3339 has four digits for the year, and with another offset a time may be in the year
    /// before or behind them.
    fn of_calendar(millis: i128) -> Result<Self, ParseTimestampError> {
        let t = OffsetDateTime::from_unix_timestamp_nanos(millis * 1_000_000);
        let has_text = t.is_ok_and(|t| (0..=9999).contains(&t.year()));
        let millis = i64::try_from(millis).ok().filter(|_| has_text);
        millis.map(Self).ok_or(ParseTimestampError)
    }

    /// How far two moments are apart, whichever comes first: two clocks may differ.
    #[must_use]
    pub const fn abs_diff(self, other: Self) -> Duration {
        Duration::from_millis(self.0.abs_diff(other.0))
    }

    /// Whole seconds since the epoch, as tokens count them.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0) * 1_000_000;
        // Out of the calendar's range (beyond the year 9999) only a corrupt item can be.
        let t = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.millisecond()
        )
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let t = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| ParseTimestampError)?;
        Self::of_calendar(t.unix_timestamp_nanos().div_euclid(1_000_000))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_has_no_direction() {
        let (a, b) = (Timestamp::from_millis(1), Timestamp::from_millis(61_001));
        assert_eq!((a.abs_diff(b), b.abs_diff(a)), (Duration::from_secs(61), Duration::from_secs(61)));
    }

    #[test]
    fn text_is_utc_with_milliseconds_and_reads_back() {
        let t = Timestamp::from_millis(1_795_446_000_007);
        assert_eq!(t.to_string(), "2026-11-23T15:00:00.007Z");
        assert_eq!(t.to_string().parse(), Ok(t));
        assert_eq!("2026-11-23T16:00:00.0079+01:00".parse(), Ok(t));
        assert_eq!(Timestamp::at_or_after("2026-11-23T16:00:00.007+01:00"), Ok(t));
        assert_eq!(Timestamp::at_or_after("2026-11-23T15:00:00.0061Z"), Ok(t));
        assert_eq!(Timestamp::at_or_after("yesterday"), Err(ParseTimestampError));
        assert_eq!("yesterday".parse::<Timestamp>(), Err(ParseTimestampError));
    }

    #[test]
    fn what_is_read_has_a_text_that_reads_back() {
        for text in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:60Z"] {
            for read in [text.parse::<Timestamp>(), Timestamp::at_or_after(text)].into_iter().flatten() {
                assert_eq!(read.to_string().parse(), Ok(read), "{text}");
            }
        }
        for beyond in ["0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"] {
            assert_eq!(beyond.parse::<Timestamp>(), Err(ParseTimestampError), "{beyond}");
            assert_eq!(Timestamp::at_or_after(beyond), Err(ParseTimestampError), "{beyond}");
        }
        // Cut off it is in the calendar, and rounded up it is not.
        let last = "9999-12-31T23:59:59.9999Z";
        assert_eq!(last.parse::<Timestamp>().unwrap().to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::at_or_after(last), Err(ParseTimestampError));
    }
}
