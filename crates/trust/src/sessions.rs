//! Sessions: what stands between a sign-in and a sign-out. Only the fingerprint of the cookie is stored.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Document, DocumentSelect, Expect, Store, Transaction};

use crate::{
    TrustError,
    secret::{fingerprint, new_secret},
    users::{PAGE, server_tenant},
};

/// A session without requests ends after this long, seconds.
const IDLE_S_MAX: f64 = 2.0 * 3_600.0;
/// A session ends after this long in any case, seconds: one working day.
const AGE_S_MAX: f64 = 12.0 * 3_600.0;
/// The last request is remembered this precisely, seconds, so that reading does not write all the time.
const SEEN_S_STEP: f64 = 60.0;

/// Somebody who is signed in. Serialised form: the stored document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The fingerprint of the cookie's value.
    pub fingerprint: String,
    /// Whose it is.
    pub account: String,
    /// What the session's own pages must repeat in unsafe requests.
    pub csrf: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
}

impl Document for Session {
    const COLLECTION: &'static str = "sessions";

    fn key(&self) -> String {
        self.fingerprint.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("account", self.account.clone())]
    }
}

impl Session {
    /// A new session and its cookie's value.
    pub fn new(account: &str, now: Timestamp) -> Result<(Self, String), TrustError> {
        let cookie = new_secret()?;
        let session = Self {
            fingerprint: fingerprint(&cookie),
            account: account.to_owned(),
            csrf: new_secret()?,
            created_at: now,
            seen_at: now,
        };
        Ok((session, cookie))
    }

    pub fn is_alive(&self, now: Timestamp) -> bool {
        now.seconds_since(self.seen_at) < IDLE_S_MAX && now.seconds_since(self.created_at) < AGE_S_MAX
    }

    /// Whether the last use should be written down.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.seconds_since(self.seen_at) >= SEEN_S_STEP
    }
}

/// Ends all sessions of an account in the same transaction as what ends them.
pub(crate) fn end_all(store: &Store, tx: &mut Transaction, account: &str) -> Result<(), TrustError> {
    let select = DocumentSelect::Index("account", account.to_owned());
    for session in store.snapshot()?.documents::<Session>(&server_tenant(), &select, None, PAGE)? {
        tx.delete_document::<Session>(&session.value.fingerprint, Expect::Any);
    }
    Ok(())
}

/// Removes sessions that have ended by themselves, at most [`PAGE`] at once.
pub(crate) fn sweep(store: &Store, tx: &mut Transaction, now: Timestamp) -> Result<(), TrustError> {
    for session in store.snapshot()?.documents::<Session>(&server_tenant(), &DocumentSelect::All, None, PAGE)? {
        if !session.value.is_alive(now) {
            tx.delete_document::<Session>(&session.value.fingerprint, Expect::Any);
        }
    }
    Ok(())
}
