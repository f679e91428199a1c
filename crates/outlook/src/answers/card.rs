//! The model card: what the model in use is, and is not, for.

use forecast::insufficient::{HISTORY_DAYS_MIN, RECENT_HOURS_MIN};
use model::Timestamp;

use crate::{
    models::{self, Facts},
    scores,
    state::SetState,
    wire::{Feature, ModelCard, ModelData, Text},
};

fn text(nl: impl Into<String>, en: impl Into<String>) -> Text {
    Text { nl: nl.into(), en: en.into() }
}

/// The card of the model in use; `None` without one.
pub(crate) fn card(state: &SetState, now: Timestamp) -> Option<ModelCard> {
    let live = state.live();
    let facts = models::newest(&live.models, now)?;
    let set = &state.set;
    let region = set.region.and_then(|region| serde_json::to_value(region).ok()?.as_str().map(str::to_owned));
    let features = facts.importance.iter();
    let earlier = live.models.iter().rev().filter(|other| other.until < facts.until);
    Some(ModelCard {
        set: set.id.clone(),
        model: facts.brief(),
        purpose: text(
            "Laten zien hoeveel er de komende uren en dagen te verwachten is, en hoe zeker dat is: om mensen in te plannen en op tijd te zien dat het druk wordt.",
            "To show what to expect in the next hours and days, and how sure that is: to plan staff, and to see in time that it gets busy.",
        ),
        not_for: not_for(),
        method: text(
            "Beslisbomen die leren van het verschil met hetzelfde uur in eerdere weken, één model voor alle reeksen. De band wordt elke dag bijgesteld aan wat er uitkwam.",
            "Decision trees that learn from the difference with the same hour of earlier weeks, one model for all series. The band is adjusted every day to what came true.",
        ),
        data: ModelData {
            entity_type: set.entity_type.as_str().to_owned(),
            attribute: set.attribute.as_str().to_owned(),
            series: facts.series as u64,
            rows: facts.rows as u64,
            from: facts.from_day.map(|day| day.to_string()).unwrap_or_default(),
            until: facts.until_day.to_string(),
            region,
            inputs: facts.inputs.clone(),
        },
        features: features.map(|(name, share)| Feature { name: name.clone(), share: f64::from(*share) }).collect(),
        limits: limits(facts),
        seed: facts.seed,
        version: facts.version.clone(),
        training_s: facts.seconds,
        quality: live
            .picture
            .as_ref()
            .map(|picture| scores::told(&picture.quality, picture.set.minimum_count))
            .unwrap_or_default(),
        earlier: earlier.map(Facts::brief).collect(),
    })
}

fn not_for() -> Vec<Text> {
    vec![
        text(
            "Besluiten over mensen: het model kent alleen tellingen, geen personen.",
            "Decisions about persons: the model knows counts only, no persons.",
        ),
        text(
            "Een maatregel uit zichzelf nemen: dat doet een bevoegd mens, met een reden.",
            "Taking a measure by itself: a person with a mandate does that, with a reason.",
        ),
        text(
            "Zeggen hoeveel verschillende mensen er komen: wie twee keer langsloopt, telt twee keer.",
            "Saying how many different people come: who walks by twice counts twice.",
        ),
    ]
}

fn limits(facts: &Facts) -> Vec<Text> {
    let scale = 20.0 * facts.scale_max;
    vec![
        text("Van 1 tot en met 168 uur vooruit.", "From 1 to 168 hours ahead."),
        text(
            format!(
                "Alleen voor reeksen met minstens {HISTORY_DAYS_MIN} dagen met tellingen en {RECENT_HOURS_MIN} getelde uren in de laatste vier weken."
            ),
            format!(
                "Only for series with at least {HISTORY_DAYS_MIN} days with counts and {RECENT_HOURS_MIN} counted hours in the last four weeks."
            ),
        ),
        text(
            format!(
                "Niet voor reeksen die van dag tot dag meer dan {scale:.0} veranderen: zo'n drukte zat niet in het verleden."
            ),
            format!(
                "Not for series that change by more than {scale:.0} from a day to the next: no such crowd was in the past."
            ),
        ),
        text(
            "Een festival, staking of storm die in geen lijst staat, wordt als een gewone dag voorspeld.",
            "A festival, a strike or a storm that is in no list is forecast as a usual day.",
        ),
        text(
            "Een nieuw niveau, bijvoorbeeld door werk aan de weg, wordt binnen dagen gevolgd, niet meteen.",
            "A new level, by roadworks for example, is followed within days, not at once.",
        ),
    ]
}
