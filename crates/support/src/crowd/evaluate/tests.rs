//! The evaluation on hand-made runs whose figures can be computed in the head.

use super::*;
use crate::crowd::{Limit, Thresholds, test_sites::square};

fn scenario() -> Scenario {
    let mut site = square();
    site.areas[0].thresholds = Thresholds {
        density_m2: None,
        specific_flow_ped_m_min: None,
        occupancy_share: Some(Limit { amber: 0.5, red: 0.9 }),
        ..Thresholds::default()
    };
    let (name, data, watch) = ("hand".to_owned(), "hand.csv".to_owned(), "square".to_owned());
    Scenario { name, data, watch, front: None, site, live: LiveSettings::default() }
}

/// Six a minute come in by each gate until minute 40; the truth is `factor` times what was counted.
fn csv(factor: f64) -> String {
    let mut text = "run,seed,minute,kind,id,a,b\n".to_owned();
    for minute in 1..=40 {
        for (place, gate) in ["north", "east", "south", "west"].into_iter().enumerate() {
            let count = if (minute + place) % 4 == 0 { 6 } else { 0 };
            text += &format!("busy,1,{minute},count,{gate},{count},0\nbusy,1,{minute},faulty,{gate},{count},0\n");
        }
        text +=
            &format!("busy,1,{minute},area,square,{},0\n", f64::from(u32::try_from(minute).unwrap()) * 6.0 * factor);
    }
    text
}

#[test]
fn errors_are_shares_of_the_peak_and_lead_is_counted_from_the_true_red() {
    let (evaluation, problems) = evaluate(&scenario(), &csv(1.0)).unwrap();
    assert!(problems.is_empty());
    let score = &evaluation.scores[0];
    assert!(score.areas["square"].worst_share() < 1e-9);
    assert_eq!(score.red_at, Some(30.0));
    assert!(score.lead_min().unwrap() > 10.0, "{:?}", score.raised);
    assert_eq!(score.false_alerts(), 0);
    let (wrong, _) = evaluate(&scenario(), &csv(1.25)).unwrap();
    assert!((wrong.scores[0].areas["square"].worst_share() - 0.2).abs() < 1e-9);
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_an_empty_file_is_refused() {
    let (_, problems) = evaluate(&scenario(), &(csv(1.0) + "busy,1,x,area,square,1,1\n")).unwrap();
    assert_eq!(problems[0].line, Some(362), "{problems:?}");
    assert!(evaluate(&scenario(), "run,seed\n").is_err());
    let mut nowhere = scenario();
    nowhere.watch = "moon".into();
    assert!(evaluate(&nowhere, &csv(1.0)).unwrap_err().to_string().contains("moon"));
}
