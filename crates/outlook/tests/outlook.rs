//! A small city that is forecast: from nothing to a record, over a restart, through a replay that starts again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod town;

use outlook::{
    OutlookError,
    wire::{SeriesStatus, SetState},
};
use town::{Town, start};

#[test]
fn a_city_with_counts_gets_a_model_a_forecast_and_a_record_of_the_weeks_before() {
    let town = Town::new(start(), 100);
    let set = town.ready();
    assert_eq!(set.series.len(), 4);
    let area = &set.series[0];
    assert_eq!((area.id.as_str(), area.status), ("main-street", SeriesStatus::Ok));
    assert!(set.quality.iter().any(|score| score.method == "forecast" && score.lead == "week"), "{:?}", set.quality);
    let forecast = town.outlook().forecast(&town.tenant, ("people", "main-street"), 168).unwrap();
    assert_eq!(forecast.points.len(), 168);
    assert_eq!(forecast.points[0].at, set.now);
    assert!(forecast.observed.len() > 13 * 24);
    assert!(forecast.points.iter().any(|point| point.p50.is_some_and(|p50| p50 > 100.0)));
    let record = town.outlook().record(&town.tenant, ("people", "a"), 28).unwrap();
    assert_eq!(record.hours.len(), 28 * 24 - 1, "the clock went forward on 30 March");
    assert!(record.hours.iter().all(|hour| hour.said.as_ref().is_some_and(|said| said.hindcast)));
    let card = town.outlook().model(&town.tenant, "people").unwrap();
    assert_eq!((card.data.until.as_str(), card.seed), ("2025-04-11", 1));
    assert_eq!(card.earlier.len(), 1, "the model that looked back lies before what it forecast: {card:?}");
    assert!(card.earlier[0].trained_until <= record.hours[0].at);
}

#[test]
fn what_was_said_stays_when_the_server_starts_again_and_hours_go_on() {
    let town = Town::new(start(), 100);
    let before = town.ready();
    let record = town.outlook().record(&town.tenant, ("people", "b"), 14).unwrap();
    let town = town.restarted();
    let after = town.ready();
    assert_eq!(after.model, before.model, "nothing is trained again");
    assert_eq!(town.outlook().record(&town.tenant, ("people", "b"), 14).unwrap(), record);
    town.hours_pass(25);
    let later = town.said(town.now());
    assert_eq!(later.model, before.model);
    let today = town.outlook().record(&town.tenant, ("people", "b"), 1).unwrap();
    let said: Vec<bool> = today.hours.iter().map(|hour| hour.said.as_ref().unwrap().hindcast).collect();
    assert_eq!(said, [false; 24], "it was said on the day itself");
}

#[test]
fn nothing_of_the_future_is_known_when_a_replay_starts_again() {
    let town = Town::new(start(), 100);
    town.ready();
    town.hours_pass(-48);
    let set = town.said(town.now());
    let forecast = town.outlook().forecast(&town.tenant, ("people", "a"), 24).unwrap();
    assert!(forecast.observed.iter().all(|count| count.at < set.now));
    assert!(forecast.model.unwrap().trained_until <= set.now);
}

#[test]
fn a_city_with_two_days_of_counts_says_for_each_series_why_there_is_no_forecast() {
    let town = Town::new(start(), 2);
    let set = town.until(|set| set.reason.is_some() && !set.series.is_empty());
    assert_eq!((set.state, set.reason.unwrap().code.as_str()), (SetState::None, "nothing_learned"));
    for series in &set.series {
        let reason = series.reason.clone().unwrap();
        assert_eq!(
            (reason.code.as_str(), reason.values["days"], reason.values["needed"]),
            ("too_little_history", 2.0, 28.0)
        );
    }
    assert!(matches!(town.outlook().model(&town.tenant, "people"), Err(OutlookError::NoModel { .. })));
}

#[test]
fn small_counts_and_small_forecasts_have_no_number_anywhere() {
    let town = Town::new(start(), 100);
    town.ready();
    let quiet = town.outlook().forecast(&town.tenant, ("people", "c"), 168).unwrap();
    assert!(quiet.observed.iter().all(|count| count.suppressed && count.count.is_none()));
    assert!(quiet.points.iter().all(|point| point.suppressed && point.p90.is_none()));
    let record = town.outlook().record(&town.tenant, ("people", "c"), 7).unwrap();
    assert!(record.hours.iter().all(|hour| hour.inside.is_none() && hour.counted.unwrap().count.is_none()));
    assert!(record.summary[0].hours > 0);
    // The quiet sensor is part of the street: its neighbour is kept back with it, or the sum would give it away.
    let street = town.outlook().forecast(&town.tenant, ("people", "main-street"), 1).unwrap();
    let busy = town.outlook().forecast(&town.tenant, ("people", "a"), 1).unwrap();
    let other = town.outlook().forecast(&town.tenant, ("people", "b"), 1).unwrap();
    for ((sum, one), two) in street.observed.iter().zip(&busy.observed).zip(&other.observed) {
        let hidden = [sum, one, two].into_iter().filter(|count| count.suppressed).count();
        assert!(hidden > 0, "{sum:?} {one:?} {two:?}");
    }
}

#[test]
fn the_week_ahead_has_seven_days_with_totals_peaks_and_the_holidays() {
    let town = Town::new(start(), 100);
    town.ready();
    let week = town.outlook().week(&town.tenant, "people").unwrap();
    assert_eq!((week.days[0].as_str(), week.days.len()), ("2025-04-11", 7));
    let street = &week.series[0];
    assert_eq!(street.days.iter().map(|day| day.hours_counted + day.hours_forecast).collect::<Vec<_>>(), [24; 7]);
    for day in &street.days {
        let total = day.total.as_ref().unwrap();
        assert!(total.p10 <= total.p50 && total.p50 <= total.p90, "{day:?}");
        assert!(day.difference.unwrap().abs() < 0.5, "{day:?}");
    }
    assert!(street.days[1].peak.unwrap().p50 > Some(100.0));
    assert_eq!(week.calendar[0].lists[0].nl, "Marktdag");
}

#[test]
fn days_of_23_and_25_hours_have_as_many_hours() {
    // The clock goes forward on 30 March 2025 and back on 26 October.
    for (day, hours) in [("2025-03-28T12:00:00Z", 23), ("2025-10-24T12:00:00Z", 25)] {
        let town = Town::new(model::Timestamp::parse(day).unwrap(), 100);
        town.ready();
        let week = town.outlook().week(&town.tenant, "people").unwrap();
        assert_eq!(week.series[0].days[2].hours_forecast, hours, "{:?}", week.series[0].days[2]);
        town.hours_pass(72);
        town.said(town.now());
        let record = town.outlook().record(&town.tenant, ("people", "a"), 1).unwrap();
        assert_eq!(record.hours.len(), hours as usize);
        let moments: std::collections::BTreeSet<_> = record.hours.iter().map(|hour| hour.at).collect();
        assert_eq!(moments.len(), hours as usize, "each hour once");
    }
}

#[test]
fn a_training_that_is_asked_for_is_done_and_a_second_one_at_once_is_refused() {
    let town = Town::new(start(), 100);
    let first = town.ready().model.unwrap();
    town.hours_pass(48);
    let asked = town.outlook().train(&town.tenant, "people").unwrap();
    assert!(asked.progress.is_some());
    assert!(matches!(town.outlook().train(&town.tenant, "people"), Err(OutlookError::Training { .. })));
    let set = town.until(|set| set.progress.is_none());
    assert!(set.model.unwrap().trained_until > first.trained_until);
    assert!(matches!(town.outlook().train(&town.tenant, "cars"), Err(OutlookError::Missing { .. })));
}

#[test]
fn a_model_is_trained_anew_after_a_week_of_the_city() {
    let town = Town::new(start(), 100);
    let first = town.ready().model.unwrap();
    town.hours_pass(8 * 24);
    let later = town.until(|set| set.model.as_ref().is_some_and(|model| *model != first));
    assert_eq!(later.model.unwrap().id, "2025-04-18T22:00:00Z");
    assert_eq!(later.next_training_at.unwrap().to_string(), "2025-04-25T22:00:00Z");
}

#[test]
fn the_next_hour_is_told_at_the_step_of_the_counts_and_held_against_the_last_day() {
    let town = Town::counting(start(), 12, 5);
    let nowcast = town.nowcast(start());
    assert_eq!(nowcast.reason, None);
    let of = |id: &str| nowcast.series.iter().find(|series| series.id == id).unwrap();
    // 900 an hour at the busiest, of which an hour has 0.85 to 1.15 times the usual; noon is two hours before it.
    let busy = of("b");
    let hour = busy.ahead[2];
    assert_eq!((busy.ahead[0].minutes, hour.minutes), (15, 60));
    let (low, middle, high) = (hour.p10.unwrap(), hour.p50.unwrap(), hour.p90.unwrap());
    assert!((750.0..1_000.0).contains(&middle) && low < middle && middle < high, "{hour:?}");
    assert!((middle / 10.0).fract().abs() < 1e-9, "rounded to the minimum: {middle}");
    // A counter of a few an hour has no number, and the street would give it away by its neighbour.
    assert!(of("c").ahead.iter().all(|point| point.suppressed && point.p50.is_none()));
    let told = ["main-street", "a", "b"].map(|id| of(id).ahead[0].p50.is_some());
    assert!(!told.iter().all(|told| *told), "{:?}", nowcast.series);
    let score = &nowcast.quality[0];
    assert!(score.minutes == 15 && score.moments > 500 && score.wape < 0.2, "{score:?}");
    assert!((0.5..1.0).contains(&score.coverage.unwrap()), "{score:?}");
    town.minutes_pass(5);
    assert_eq!(town.nowcast(town.now()).series.len(), 4);
    town.hours_pass(-30);
    assert!(town.nowcast(town.now()).series[0].latest.is_some(), "a replay that goes back tells of then");
}

#[test]
fn a_counter_that_is_silent_says_so_and_hourly_counts_carry_no_next_minutes() {
    let town = Town::counting(start(), 3, 5);
    town.nowcast(start());
    // With three days the counters stop at the start: an hour later nobody reports any more.
    town.minutes_pass(60);
    let silent = town.nowcast_when(|nowcast| nowcast.said_at.is_none());
    assert_eq!((silent.reason.unwrap().code.as_str(), silent.series.len()), ("silent", 0));
    let hourly = Town::new(start(), 3);
    let reason = hourly.outlook().nowcast(&hourly.tenant, "people").unwrap().reason.unwrap();
    assert_eq!((reason.code.as_str(), reason.values["minutes"]), ("step", 60.0));
}
