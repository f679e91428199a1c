//! API tokens: how a machine signs its requests. Only the fingerprint of a token is stored.

use std::collections::BTreeSet;

use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Document, DocumentSelect, Expect, Store, Transaction};

use crate::{
    Action, Outcome, Subject, TrustError, audit_entry,
    policy::PUBLIC_ACTIONS,
    secret::{fingerprint, new_secret},
    users::{self, Account, PAGE, server_tenant},
};

/// How every token begins, so that scanners of published code recognise a leaked one.
pub const PREFIX: &str = "polder_";
/// The longest life of a token, days.
const DAYS_MAX: u32 = 366;
/// How many characters of the fingerprint are the token's public id.
const ID_CHARS: usize = 16;
/// The last use is remembered this precisely, seconds.
const USED_S_STEP: f64 = 60.0;
/// The longest label, characters.
const LABEL_CHARS_MAX: usize = 100;

/// A token. Serialised form: the stored document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub(crate) fingerprint: String,
    /// What it is for, in its owner's words.
    pub label: String,
    /// The account on whose behalf it acts. It never may more than that account may at that moment.
    pub owner: String,
    /// What it is limited to.
    pub scopes: BTreeSet<Action>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
}

impl Document for Token {
    const COLLECTION: &'static str = "tokens";

    fn key(&self) -> String {
        self.fingerprint.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        vec![("owner", self.owner.clone())]
    }
}

impl Token {
    /// Its public name: the first part of the fingerprint.
    #[must_use]
    pub fn id(&self) -> &str {
        self.fingerprint.get(..ID_CHARS).unwrap_or(&self.fingerprint)
    }

    pub(crate) fn is_alive(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    pub(crate) fn is_stale(&self, now: Timestamp) -> bool {
        self.used_at.is_none_or(|used| now.seconds_since(used) >= USED_S_STEP)
    }
}

/// What is needed for a new token.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The account on whose behalf it acts.
    pub owner: String,
    /// What it is for.
    pub label: String,
    /// What it is limited to; at least one.
    pub scopes: BTreeSet<Action>,
    /// After how many days it stops working, 1 to 366.
    pub days: u32,
}

/// Makes a token. The text returned is shown once and stored nowhere.
///
/// # Errors
/// The owner does not exist or may not do what a scope names, `by` is no person, a bound is not kept, or the store
/// fails.
pub fn create(store: &Store, by: &Subject, new: NewToken, now: Timestamp) -> Result<(Token, String), TrustError> {
    by.check_in_person("tokens")?;
    if new.scopes.is_empty() {
        return Err(Problem::new("scopes", "there is none", "name at least one, for example entities:read").into());
    }
    if !(1..=DAYS_MAX).contains(&new.days) {
        return Err(Problem::new("days", format!("{} is not accepted", new.days), "use 1 to 366").into());
    }
    let owner = users::existing(store, &new.owner)?.value;
    check_scopes(&owner, &new.scopes)?;
    let text = format!("{PREFIX}{}", new_secret()?);
    let token = Token {
        fingerprint: fingerprint(&text),
        label: new.label.chars().take(LABEL_CHARS_MAX).collect(),
        owner: owner.name,
        scopes: new.scopes,
        created_at: now,
        expires_at: now.plus_micros(i64::from(new.days) * 86_400 * 1_000_000),
        used_at: None,
    };
    let mut tx = Transaction::new(server_tenant());
    tx.put_document(&token, Expect::Absent)?;
    record(&mut tx, by, "token.create", &token, now);
    store.commit_blocking(tx)?;
    Ok((token, text))
}

/// A token that names more than its owner may would wait for the day on which the owner is given more. At its use, the
/// decision holds both against the request: its scopes, and the roles of its owner as they are then.
fn check_scopes(owner: &Account, scopes: &BTreeSet<Action>) -> Result<(), Problem> {
    let may = |action: Action| PUBLIC_ACTIONS.contains(&action) || owner.grants.allow_somewhere(action);
    let Some(more) = scopes.iter().copied().find(|action| !may(*action)) else { return Ok(()) };
    let detail = format!("none of the roles of {} allows {more}", owner.name);
    Err(Problem::new("scopes", detail, "leave it out, or ask an administrator for a role that allows it"))
}

/// The tokens of one account, or all of them.
///
/// # Errors
/// The store fails.
pub fn list(store: &Store, owner: Option<&str>) -> Result<Vec<Token>, TrustError> {
    let select = owner.map_or(DocumentSelect::All, |owner| DocumentSelect::Index("owner", owner.to_owned()));
    let tokens = store.snapshot()?.documents::<Token>(&server_tenant(), &select, None, PAGE)?;
    Ok(tokens.into_iter().map(|stored| stored.value).collect())
}

/// Ends a token at once. With an `owner`, only a token of that account.
///
/// # Errors
/// There is no such token, `by` is no person, or the store fails.
pub fn revoke(store: &Store, by: &Subject, id: &str, owner: Option<&str>, now: Timestamp) -> Result<(), TrustError> {
    by.check_in_person("tokens")?;
    let missing = || {
        let id: String = id.chars().take(80).collect();
        let detail = format!("there is no token \"{id}\"");
        TrustError::Missing(Problem::new("token", detail, "list the tokens to see their ids"))
    };
    let found = find(store, id)?;
    let token = found.filter(|t| owner.is_none_or(|owner| t.owner == owner)).ok_or_else(missing)?;
    let mut tx = Transaction::new(server_tenant());
    tx.delete_document::<Token>(&token.fingerprint, Expect::Any);
    record(&mut tx, by, "token.revoke", &token, now);
    store.commit_blocking(tx)?;
    Ok(())
}

/// A token by its public id.
pub(crate) fn find(store: &Store, id: &str) -> Result<Option<Token>, TrustError> {
    if id.len() != ID_CHARS {
        return Ok(None);
    }
    let select = DocumentSelect::Prefix(id.to_owned());
    let found = store.snapshot()?.documents::<Token>(&server_tenant(), &select, None, 1)?.pop();
    Ok(found.map(|stored| stored.value))
}

/// Ends all tokens of an account in the same transaction as what ends them.
pub(crate) fn revoke_all(store: &Store, tx: &mut Transaction, owner: &str) -> Result<(), TrustError> {
    for token in list(store, Some(owner))? {
        tx.delete_document::<Token>(&token.fingerprint, Expect::Any);
    }
    Ok(())
}

fn record(tx: &mut Transaction, by: &Subject, action: &str, token: &Token, now: Timestamp) {
    let mut entry = audit_entry(by, action, token.id(), Outcome::Done, now);
    entry.detail = json!({ "owner": token.owner, "scopes": token.scopes, "expiresAt": token.expires_at });
    tx.audit(entry);
}
