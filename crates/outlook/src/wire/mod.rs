//! What the outlook tells, in the form in which it leaves the server.

mod card;
mod nowcast;
mod series;
mod set;
mod week;

pub use card::{Feature, ModelCard, ModelData};
pub(crate) use nowcast::Stretch;
pub use nowcast::{Nowcast, NowcastPoint, NowcastScore, NowcastSeries, StretchCount};
pub use series::{Basis, Forecast, RecordHour, Said, SeriesRecord, Validity};
pub use set::{
    Count, Kind, ModelBrief, Notice, Phase, Place, Point, Progress, Quality, Reason, Score, SeriesBrief, SeriesKind,
    SeriesStatus, Set, SetState, Text, Why,
};
pub use week::{BandFrom, CalendarDay, Total, Week, WeekDay, WeekSeries};
