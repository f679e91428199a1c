//! What a forecast promises: nothing from the future, quantiles in order, reasons in place of guesses, the same twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use forecast::{
    calendar::{Calendar, Region},
    evaluate::{Protocol, evaluate},
    features::{Ask, LOOK_BACK_DAYS},
    insufficient::Insufficient,
    model::Model,
    panel::Panel,
    series::{DAY, HourlySeries, WEEK},
    train::{TrainOptions, train},
};
use jiff::civil::{Date, date};

const FIRST: Date = date(2024, 1, 1);
const DAYS: usize = 140;

/// Something like a shopping street: busy by day, busier on Saturday, no two hours alike.
fn street(name: &str, busy: f32) -> HourlySeries {
    let values = (0..DAYS * DAY)
        .map(|slot| {
            let (day, hour) = (slot / DAY, slot % DAY);
            let daily = (1.0 - ((hour as f32 - 14.0) / 8.0).powi(2)).max(0.05);
            let weekly = if day % 7 == 5 { 1.5 } else { 1.0 };
            let chance = (slot * 7_919 + busy as usize * 104_729) % 101;
            (busy * daily * weekly * (0.8 + 0.4 * chance as f32 / 101.0)).round()
        })
        .collect();
    HourlySeries::from_slots(name, FIRST, values)
}

fn streets() -> Vec<HourlySeries> {
    vec![street("a", 100.0), street("b", 1_000.0), street("c", 30.0)]
}

fn panel(series: &[HourlySeries]) -> Panel {
    Panel::new(series, &Calendar::default(), Vec::new(), 8)
}

fn options() -> TrainOptions {
    TrainOptions { trees: 20, leaves: 15, ..TrainOptions::default() }
}

fn trained(panel: &Panel, until: usize) -> Model {
    train(panel, until, &options()).expect("enough history")
}

fn week_from(origin: usize, series: usize) -> Vec<Ask> {
    (0..WEEK).map(|lead| Ask { series, origin, target: origin + lead }).collect()
}

#[test]
fn values_after_the_origin_change_nothing_in_its_forecast() {
    for origin in [100 * DAY, 100 * DAY + 15] {
        let before = panel(&streets());
        let mut changed = streets();
        for series in &mut changed {
            for (slot, value) in series.values.iter_mut().enumerate().skip(origin) {
                *value = if slot % 5 == 0 { f32::NAN } else { 7_777.0 };
            }
        }
        let after = panel(&changed);
        let (model, other) = (trained(&before, origin), trained(&after, origin));
        assert_eq!(model, other, "training from {origin}");
        for series in 0..3 {
            let asks = week_from(origin, series);
            assert_eq!(model.predict(&before, &asks), other.predict(&after, &asks), "series {series} from {origin}");
        }
    }
}

#[test]
fn an_evaluation_of_earlier_days_does_not_see_later_ones() {
    let protocol = |last_day| Protocol {
        first_day: date(2024, 4, 20),
        last_day,
        horizon_hours: 24,
        retrain_days: 7,
        history_share_min: 0.0,
        window_share_min: 0.0,
        train: TrainOptions { week_ahead: false, ..options() },
    };
    let mut cut = streets();
    for series in &mut cut {
        series.values.truncate(117 * DAY); // to the end of 26 April
    }
    let of = |series: &[HourlySeries]| evaluate(&panel(series), &protocol(date(2024, 4, 26)), |_| ()).unwrap();
    assert_eq!(of(&streets()).methods, of(&cut).methods);
}

#[test]
fn quantiles_are_in_order_and_never_below_zero() {
    let panel = panel(&streets());
    let model = trained(&panel, 120 * DAY);
    for series in 0..3 {
        for answer in model.predict(&panel, &week_from(120 * DAY, series)) {
            let said = answer.unwrap();
            assert!(0.0 <= said.low && said.low <= said.middle && said.middle <= said.high, "{said:?}");
        }
    }
}

#[test]
fn a_forecast_is_nearer_than_last_week() {
    let panel = panel(&streets());
    let protocol = Protocol {
        first_day: date(2024, 5, 1),
        last_day: date(2024, 5, 14),
        horizon_hours: 24,
        retrain_days: 14,
        history_share_min: 0.9,
        window_share_min: 0.9,
        train: TrainOptions { trees: 60, week_ahead: false, ..TrainOptions::default() },
    };
    let evaluation = evaluate(&panel, &protocol, |_| ()).unwrap();
    let mase = |at: usize| evaluation.methods[at].figures.mase.unwrap();
    assert!(mase(3) < mase(0), "{:?}", evaluation.methods);
    assert_eq!(evaluation.methods[3].figures.hours, 3 * 14 * DAY);
}

#[test]
fn too_little_history_is_a_reason_and_not_a_guess() {
    let mut series = streets();
    let new = HourlySeries::from_slots("new", date(2024, 4, 20), vec![5.0; 10 * DAY]);
    let mut gaps = street("gaps", 100.0);
    gaps.values[95 * DAY..118 * DAY].fill(f32::NAN);
    series.extend([new, gaps]);
    let panel = panel(&series);
    let origin = 120 * DAY;
    let model = trained(&panel, origin);
    let answer = |series: usize, target: usize| model.predict(&panel, &[Ask { series, origin, target }]).remove(0);
    assert_eq!(answer(3, origin), Err(Insufficient::TooLittleHistory { days: 10, needed: 28 }));
    assert_eq!(answer(4, origin), Err(Insufficient::TooManyGaps { hours: 5 * DAY, needed: 14 * DAY }));
    assert_eq!(answer(9, origin), Err(Insufficient::UnknownSeries));
    assert_eq!(answer(0, origin + WEEK), Err(Insufficient::OutsideHorizon { hours: 169 }));
    assert!(matches!(answer(0, origin - 1), Err(Insufficient::OutsideHorizon { hours: 0 })));
}

#[test]
fn a_level_far_beyond_training_is_refused() {
    let quiet = panel(&[street("a", 10.0)]);
    let model = trained(&quiet, 120 * DAY);
    let busy = panel(&[street("a", 100_000.0)]);
    let answer = model.predict(&busy, &[Ask { series: 0, origin: 120 * DAY, target: 120 * DAY + 12 }]).remove(0);
    assert!(matches!(answer, Err(Insufficient::OutsideValidity { most: 20, .. })), "{answer:?}");
}

#[test]
fn nothing_to_learn_from_is_said() {
    let short = HourlySeries::from_slots("a", FIRST, vec![5.0; 10 * DAY]);
    assert_eq!(train(&panel(&[short]), 10 * DAY, &options()), Err(Insufficient::NothingLearned));
    assert_eq!(train(&panel(&[]), 10 * DAY, &options()), Err(Insufficient::NothingLearned));
}

#[test]
fn gaps_stay_gaps_and_do_not_stop_a_forecast() {
    let mut series = streets();
    for value in series[0].values.iter_mut().skip(110 * DAY).step_by(3) {
        *value = f32::NAN;
    }
    let panel = panel(&series);
    let model = trained(&panel, 120 * DAY);
    let asks = week_from(120 * DAY, 0);
    assert!(model.predict(&panel, &asks).iter().all(Result::is_ok));
    let basis = model.basis(&panel, asks[0]);
    assert_eq!(basis.history_days, 120);
    assert_eq!(basis.recent_hours, 28 * DAY - 80);
    assert!(basis.inputs_share < 1.0);
}

#[test]
fn the_same_seed_gives_the_same_model_and_another_seed_another() {
    let panel = panel(&streets());
    let again = train(&panel, 120 * DAY, &TrainOptions { seed: 2, ..options() }).unwrap();
    assert_eq!(trained(&panel, 120 * DAY), trained(&panel, 120 * DAY));
    assert_ne!(trained(&panel, 120 * DAY).bands, again.bands);
}

#[test]
fn the_last_days_of_a_series_are_enough_to_forecast_from() {
    let days = LOOK_BACK_DAYS + 150;
    let long = |name: &str, busy: f32| {
        let (first, second) = (street(name, busy), street(name, busy * 1.1));
        let values = first.values.iter().chain(&second.values).cycle().take(days * DAY).copied().collect();
        HourlySeries::from_slots(name, FIRST, values)
    };
    let all = [long("a", 100.0), long("b", 900.0), long("c", 30.0)];
    let calendar = Calendar::of_region(Region::Netherlands, 2023, 2027);
    let panel = |series: &[HourlySeries]| Panel::new(series, &calendar, Vec::new(), 8);
    let (whole, recent) = (panel(&all), panel(&all.clone().map(|one| one.last_days(LOOK_BACK_DAYS))));
    let model = trained(&whole, days * DAY);
    for series in 0..3 {
        let (long, short) = (week_from(days * DAY, series), week_from(LOOK_BACK_DAYS * DAY, series));
        for (a, b) in model.predict(&whole, &long).into_iter().zip(model.predict(&recent, &short)) {
            let (a, b) = (a.unwrap(), b.unwrap());
            assert!((a.middle - b.middle).abs() <= 0.01 * a.middle.max(1.0), "{a:?} and {b:?}");
        }
    }
}

#[test]
fn a_stored_model_answers_as_before() {
    let panel = panel(&streets());
    let model = trained(&panel, 120 * DAY);
    let bytes = model.to_bytes().unwrap();
    let back = Model::from_bytes(&bytes).unwrap();
    assert_eq!(model, back);
    let asks = week_from(120 * DAY, 1);
    assert_eq!(model.predict(&panel, &asks), back.predict(&panel, &asks));
    assert!(back.importance()[0].1 > 0.0);
}

#[test]
fn damaged_bytes_are_refused_wherever_they_are_cut() {
    let bytes = trained(&panel(&streets()), 120 * DAY).to_bytes().unwrap();
    assert_eq!(Model::from_bytes(b"something else").unwrap_err().to_string().split(';').count(), 2);
    for length in (0..bytes.len()).step_by(997) {
        assert!(Model::from_bytes(&bytes[..length]).is_err(), "cut at {length}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(Model::from_bytes(&longer).is_err());
}

#[test]
fn a_panel_without_the_weather_of_the_training_is_refused_by_name() {
    let rain = (0..DAYS + 8).map(|day| (forecast::series::day_after(FIRST, day), (day % 5) as f32)).collect();
    let wet = Panel::new(&streets(), &Calendar::default(), vec![("rain_mm".to_owned(), rain)], 8);
    let model = trained(&wet, 120 * DAY);
    let ask = Ask { series: 0, origin: 120 * DAY, target: 120 * DAY };
    assert!(model.predict(&wet, &[ask])[0].is_ok());
    let Err(Insufficient::OtherInputs { inputs }) = model.predict(&panel(&streets()), &[ask]).remove(0) else {
        panic!("answered without rain");
    };
    assert_eq!(inputs[0], "rain_mm");
}

#[test]
fn a_card_says_where_the_model_holds_and_what_it_looks_at() {
    let panel = panel(&streets());
    let card = forecast::card::card(&trained(&panel, 120 * DAY), None);
    assert_eq!(card.validity[0], "1 to 168 hours ahead");
    assert_eq!(card.training.until, Some(date(2024, 4, 30)));
    assert_eq!(card.training.series, 3);
    assert!(card.importance.len() == 20 && card.importance[0].1 >= card.importance[1].1);
}
