//! The shop's business time zone: which day of the calendar a moment belongs to, and which hours a day has. Pure.
//!
//! The rules of all zones are in the binary: a Lambda function has no file of them.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use shop_lambda::{Environment, StartError};
use shop_types::Timestamp;

const HOUR: i64 = 3_600_000;

/// A whole hour of UTC, by which the ledger is cut: it is the same hour in every zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Hour(i64);

impl Hour {
    /// The hour of a moment.
    pub(crate) const fn of(at: Timestamp) -> Self {
        Self(at.as_millis().div_euclid(HOUR))
    }

    /// When it begins.
    pub(crate) const fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0 * HOUR)
    }

    /// Its month, as `2026-11`.
    pub(crate) fn month(self) -> String {
        let mut text = self.start().to_string();
        text.truncate("2026-11".len());
        text
    }

    /// Its day, as `2026-11-23`: one of UTC.
    pub(crate) fn date(self) -> String {
        let mut text = self.start().to_string();
        text.truncate("2026-11-23".len());
        text
    }

    /// The hour of its day, as `15`.
    pub(crate) fn of_day(self) -> String {
        format!("{:02}", self.0.rem_euclid(24))
    }

    /// The hour behind it.
    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The hours from this one up to another, which is not among them.
    pub(crate) fn until(self, end: Self) -> impl Iterator<Item = Self> {
        (self.0..end.0).map(Self)
    }
}

/// As `2026-11-23T15`, which sorts as the time.
impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().to_string();
        f.write_str(text.get(.."2026-11-23T15".len()).unwrap_or(&text))
    }
}

/// No time of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time is beyond the calendar")]
pub(crate) struct BeyondCalendar;

/// The shop's zone.
#[derive(Clone, Debug)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    /// The zone that `TIME_ZONE` names.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let name = environment.required("TIME_ZONE")?;
        let invalid = || StartError::InvalidVariable {
            name: "TIME_ZONE".to_owned(),
            expected: "the name of an IANA time zone, as Europe/Berlin",
        };
        Self::of(name).ok_or_else(invalid)
    }

    fn of(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The day of a moment.
    pub(crate) fn date(&self, at: Timestamp) -> Result<Date, BeyondCalendar> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).map_err(|_| BeyondCalendar)?;
        Ok(self.0.to_datetime(at).date())
    }

    /// When a day begins: where there is no midnight, at the first moment behind the gap.
    pub(crate) fn start_of(&self, date: Date) -> Result<Timestamp, BeyondCalendar> {
        let midnight = self.0.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| BeyondCalendar)?;
        Ok(Timestamp::from_millis(midnight.as_millisecond()))
    }

    /// The hours that begin on a day: 24, or 23 or 25 where the clocks are changed, and none on a day that a zone has
    /// left out. Where a zone is not whole hours away from UTC, the first of them begins some minutes into the day.
    pub(crate) fn hours_of(&self, date: Date) -> Result<Vec<Hour>, BeyondCalendar> {
        let next = date.tomorrow().map_err(|_| BeyondCalendar)?;
        Ok(first_from(self.start_of(date)?).until(first_from(self.start_of(next)?)).collect())
    }

    /// The first and the last of the hours in which a moment of a day may lie, and perhaps some more.
    pub(crate) fn hours_around(&self, date: Date) -> Result<(Hour, Hour), BeyondCalendar> {
        let next = date.tomorrow().map_err(|_| BeyondCalendar)?;
        // Clocks that are put back just after midnight make a day begin twice, up to a few hours apart.
        let margin = 3 * HOUR;
        let start = Timestamp::from_millis(self.start_of(date)?.as_millis() - margin);
        let end = Timestamp::from_millis(self.start_of(next)?.as_millis() + margin);
        Ok((Hour::of(start), Hour::of(end)))
    }
}

/// The first hour that does not begin before a moment.
const fn first_from(at: Timestamp) -> Hour {
    Hour(at.as_millis().div_euclid(HOUR) + if at.as_millis().rem_euclid(HOUR) == 0 { 0 } else { 1 })
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::civil::date;

    use super::*;

    pub(crate) fn zone(name: &str) -> Zone {
        Zone::of(name).unwrap()
    }

    fn day(zone: &Zone, at: &str) -> String {
        zone.date(at.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn days_have_23_24_or_25_hours() {
        let berlin = zone("Europe/Berlin");
        for (day, hours, start) in [
            (date(2026, 3, 29), 23, "2026-03-28T23:00:00.000Z"),
            (date(2026, 3, 30), 24, "2026-03-29T22:00:00.000Z"),
            (date(2026, 10, 25), 25, "2026-10-24T22:00:00.000Z"),
            (date(2026, 10, 26), 24, "2026-10-25T23:00:00.000Z"),
        ] {
            assert_eq!(berlin.start_of(day).unwrap().to_string(), start);
            assert_eq!(berlin.hours_of(day).unwrap().len(), hours, "{day}");
        }
        assert_eq!(day(&berlin, "2026-03-28T22:59:59.999Z"), "2026-03-28");
        assert_eq!(day(&berlin, "2026-03-28T23:00:00.000Z"), "2026-03-29");
        assert_eq!(day(&berlin, "2026-03-29T21:59:59.999Z"), "2026-03-29");
        assert_eq!(day(&berlin, "2026-10-25T22:59:59.999Z"), "2026-10-25");
    }

    /// Zones with half hours, with midnights that do not exist or exist twice, and with a day that was left out.
    #[test]
    fn every_hour_begins_on_one_day_and_every_moment_is_near_its_day() {
        for (name, from, days) in [
            ("UTC", date(2026, 2, 26), 6),
            ("Europe/Berlin", date(2026, 10, 23), 5),
            ("Asia/Kolkata", date(2026, 1, 1), 3),
            ("Australia/Lord_Howe", date(2026, 4, 3), 5),
            ("America/Sao_Paulo", date(2018, 11, 2), 5),
            ("America/Havana", date(2026, 10, 30), 5),
            ("America/St_Johns", date(2010, 11, 5), 5),
            ("Pacific/Apia", date(2011, 12, 28), 5),
        ] {
            let zone = zone(name);
            let mut date = from;
            let (mut hours, mut expected) = (Vec::new(), Hour::of(Timestamp::default()));
            for _ in 0..days {
                hours.extend(zone.hours_of(date).unwrap());
                let (first, last) = zone.hours_around(date).unwrap();
                for hour in first_from(zone.start_of(from).unwrap()).until(Hour(first.0 + 40)) {
                    for minutes in [0, 1, 29, 30, 31, 59] {
                        let at = Timestamp::from_millis(hour.start().as_millis() + minutes * 60_000);
                        let is_of_day = zone.date(at).unwrap() == date;
                        assert!(
                            !is_of_day || (first..=last).contains(&hour),
                            "{name} {at} is not around {date}"
                        );
                    }
                }
                date = date.tomorrow().unwrap();
            }
            for (place, hour) in hours.iter().enumerate() {
                assert!(place == 0 || *hour == expected, "{name}: {hour} follows something else");
                expected = Hour(hour.0 + 1);
            }
        }
        assert!(zone("Pacific/Apia").hours_of(date(2011, 12, 30)).unwrap().is_empty());
    }

    #[test]
    fn hours_sort_as_their_texts_and_months_are_theirs() {
        let hour = Hour::of("2026-11-30T23:59:59.999Z".parse().unwrap());
        assert_eq!((hour.to_string().as_str(), hour.month().as_str()), ("2026-11-30T23", "2026-11"));
        assert_eq!((hour.date().as_str(), hour.of_day().as_str()), ("2026-11-30", "23"));
        let next = hour.next();
        assert_eq!((next.to_string().as_str(), next.month().as_str()), ("2026-12-01T00", "2026-12"));
        assert_eq!(hour.until(next).collect::<Vec<_>>(), [hour]);
    }

    #[test]
    fn what_is_no_zone_or_no_day_is_refused() {
        for name in ["", "Berlin", "Europe/Atlantis", "+01:00"] {
            assert!(Zone::of(name).is_none(), "{name}");
        }
        assert_eq!(zone("Asia/Tokyo").name(), "Asia/Tokyo");
        assert_eq!(zone("UTC").name(), "UTC");
        assert_eq!(zone("UTC").date(Timestamp::from_millis(i64::MAX)), Err(BeyondCalendar));
        assert_eq!(zone("UTC").hours_of(Date::MAX), Err(BeyondCalendar));
    }
}
