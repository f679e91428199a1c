//! What an evaluation prints, and writes as JSON.

use std::fmt::Write as _;

use anyhow::Result;
use forecast::{
    evaluate::{Evaluation, MethodFigures, Protocol},
    metrics::Figures,
};
use serde_json::json;

/// The table of methods, what was left out, and with `series` the figures of each series.
pub fn table(evaluation: &Evaluation, protocol: &Protocol, seconds: f64, series: bool) -> String {
    let mut text = String::new();
    line(&mut text, "method", ["hours", "MASE", "MAE", "WAPE", "pinball", "coverage"].map(str::to_owned));
    for MethodFigures { method, figures } in &evaluation.methods {
        line(&mut text, method, cells(figures));
    }
    let _ = writeln!(
        text,
        "\nmean over {} series, each counting the same; {} to {}, origins at 00:00 local, {} h ahead",
        evaluation.series.len(),
        protocol.first_day,
        protocol.last_day,
        protocol.horizon_hours
    );
    let _ = writeln!(text, "{} rows learned from by the last model; {seconds:.0} s in all", evaluation.rows);
    for (name, reason) in &evaluation.left_out {
        let _ = writeln!(text, "left out: {name} {reason}");
    }
    for (reason, hours) in &evaluation.unanswered {
        let _ = writeln!(text, "insufficient data for {hours} hours: {reason}");
    }
    if series {
        for one in &evaluation.series {
            let _ = writeln!(text);
            line(&mut text, &one.series, ["hours", "MASE", "MAE", "WAPE", "pinball", "coverage"].map(str::to_owned));
            one.methods.iter().for_each(|method| line(&mut text, &method.method, cells(&method.figures)));
        }
    }
    text
}

fn line(text: &mut String, name: &str, cells: [String; 6]) {
    let _ = write!(text, "{name:<36}");
    for cell in cells {
        let _ = write!(text, "{cell:>10}");
    }
    let _ = writeln!(text);
}

fn cells(figures: &Figures) -> [String; 6] {
    let number = |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
    [
        figures.hours.to_string(),
        number(figures.mase, 4),
        number(figures.mae, 2),
        number(figures.wape, 4),
        number(figures.pinball, 3),
        number(figures.coverage, 4),
    ]
}

/// All figures as JSON.
pub fn json(evaluation: &Evaluation, protocol: &Protocol, seconds: f64) -> Result<String> {
    let all = json!({
        "first_day": protocol.first_day,
        "last_day": protocol.last_day,
        "horizon_hours": protocol.horizon_hours,
        "retrain_days": protocol.retrain_days,
        "seed": protocol.train.seed,
        "seconds": seconds,
        "evaluation": evaluation,
    });
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}
