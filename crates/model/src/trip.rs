//! One trip of a public transport timetable: when a vehicle of a line should be at which stop.

use serde::{Deserialize, Serialize};

/// One trip with its days and its stops, as a timetable source delivers it. Serialised form: the stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TripTimes {
    /// The name of the source with the timetable.
    pub feed: String,
    /// The trip's identifier in that timetable.
    pub trip: String,
    /// The line as passengers know it (`8`, `B`).
    pub line: String,
    /// `tram`, `metro`, `train`, `bus`, `ferry` or the GTFS route type as text.
    pub mode: String,
    /// Where it goes, as the front of the vehicle says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headsign: Option<String>,
    /// The IANA time zone of its times.
    pub zone: String,
    /// First and last day of each unbroken run of days on which it runs, in days since 1970-01-01, ascending.
    pub days: Vec<(i32, i32)>,
    /// Its stops, by sequence.
    pub stops: Vec<TripStop>,
}

/// One stop of a trip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TripStop {
    /// The stop's identifier in the timetable.
    #[serde(rename = "s")]
    pub stop: String,
    /// Its place in the order of stops.
    #[serde(rename = "n")]
    pub sequence: u32,
    /// Arrival, seconds after noon minus 12 hours of the service day (so that changes of the clock do no harm).
    #[serde(rename = "a")]
    pub arrival_s: u32,
    /// Departure, in the same seconds.
    #[serde(rename = "d")]
    pub departure_s: u32,
}

impl TripTimes {
    /// Whether the trip runs on a service day, in days since 1970-01-01.
    #[must_use]
    pub fn runs_on(&self, day: i32) -> bool {
        self.days.iter().any(|&(first, last)| (first..=last).contains(&day))
    }
}
