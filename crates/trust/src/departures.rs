//! Browsers that left for an identity provider and are not back yet. Anybody can leave without an account, so their
//! number is bounded and those that never come back are cleared away.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Document, DocumentSelect, Expect, Store, Transaction};

use crate::{TrustError, oidc::Journey, users::server_tenant};

/// A journey to an identity provider ends after this long, seconds.
pub(crate) const JOURNEY_S_MAX: f64 = 600.0;
/// How many browsers may be away at once. The one that left first makes room: the last to leave is the most likely to
/// be a person who is signing in now.
const DEPARTURES_MAX: usize = 2_000;

/// What has to be remembered of a browser that left for an identity provider. Serialised form: the stored document.
#[derive(Serialize, Deserialize)]
pub(crate) struct Departure {
    pub fingerprint: String,
    pub journey: Journey,
    pub return_to: String,
    pub created_at: Timestamp,
}

impl Document for Departure {
    const COLLECTION: &'static str = "oidc-departures";

    fn key(&self) -> String {
        self.fingerprint.clone()
    }
}

impl Departure {
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.seconds_since(self.created_at) > JOURNEY_S_MAX
    }
}

/// Adds a departure, and in the same transaction removes those that are over and, where there are too many, those that
/// began first.
pub(crate) fn add(store: &Store, departure: &Departure, now: Timestamp) -> Result<Transaction, TrustError> {
    let mut tx = Transaction::new(server_tenant());
    // Twice the bound: what several browsers added at the same moment is seen by the next one.
    let found =
        store.snapshot()?.documents::<Departure>(&server_tenant(), &DocumentSelect::All, None, 2 * DEPARTURES_MAX)?;
    let mut away: Vec<(bool, Timestamp, String)> =
        found.into_iter().map(|d| (!d.value.is_over(now), d.value.created_at, d.value.fingerprint)).collect();
    away.sort_unstable();
    let over = away.iter().filter(|(travels, ..)| !travels).count();
    let too_many = (away.len() + 1).saturating_sub(DEPARTURES_MAX);
    for (_, _, fingerprint) in away.iter().take(over.max(too_many)) {
        tx.delete_document::<Departure>(fingerprint, Expect::Any);
    }
    tx.put_document(departure, Expect::Absent)?;
    Ok(tx)
}

#[cfg(test)]
mod tests {
    use store::StoreOptions;

    use super::*;

    fn leave(store: &Store, name: &str, second: i64) {
        let now = Timestamp::from_micros(second * 1_000_000);
        let journey = Journey { state: "s".into(), nonce: "n".into(), verifier: "v".into() };
        let fingerprint = name.to_owned();
        let departure = Departure { fingerprint, journey, return_to: "/".into(), created_at: now };
        store.commit_blocking(add(store, &departure, now).unwrap()).unwrap();
    }

    fn away(store: &Store) -> Vec<String> {
        let all = store.snapshot().unwrap().documents::<Departure>(
            &server_tenant(),
            &DocumentSelect::All,
            None,
            10 * DEPARTURES_MAX,
        );
        all.unwrap().into_iter().map(|d| d.value.fingerprint).collect()
    }

    #[test]
    fn a_browser_that_never_came_back_is_forgotten_when_the_next_one_leaves() {
        let store = Store::in_memory(&StoreOptions::default()).unwrap();
        leave(&store, "first", 0);
        leave(&store, "second", 600);
        assert_eq!(away(&store), ["first", "second"]);
        leave(&store, "third", 601);
        assert_eq!(away(&store), ["second", "third"]);
    }

    #[test]
    fn of_too_many_browsers_the_one_that_left_first_makes_room() {
        let store = Store::in_memory(&StoreOptions::default()).unwrap();
        let mut tx = Transaction::new(server_tenant());
        for number in 0..DEPARTURES_MAX {
            let journey = Journey { state: "s".into(), nonce: "n".into(), verifier: "v".into() };
            let created_at = Timestamp::from_micros(i64::try_from(number).unwrap());
            // The order of the names is the other way round than that of the moments.
            let fingerprint = format!("{:05}", DEPARTURES_MAX - number);
            let departure = Departure { fingerprint, journey, return_to: "/".into(), created_at };
            tx.put_document(&departure, Expect::Absent).unwrap();
        }
        store.commit_blocking(tx).unwrap();
        leave(&store, "new", 1);
        let left = away(&store);
        assert_eq!(left.len(), DEPARTURES_MAX);
        let first = format!("{DEPARTURES_MAX:05}");
        assert!(left.iter().any(|name| name == "new") && left.iter().all(|name| *name != first));
    }
}
