//! Accounts: people who sign in with a password or through an identity provider, and what they are allowed to be.
//!
//! There is no account at the start and no default password: the first administrator is made on the command line.
//!
//! An account belongs to the tenants in which it has a role, and without one to the tenant that made it: nobody else's
//! administrators see it, give it a role or remove it.

use model::{Problem, Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Document, DocumentSelect, Expect, Store, Stored, Transaction};

use crate::{
    Action, Grants, Outcome, Subject, TrustError, audit_entry, password, secret::fingerprint, sessions,
    subject::EVERY_TENANT, tokens,
};

/// The tenant of accounts, sessions and tokens. No request reaches it.
const SERVER_TENANT: &str = "_server";
/// How many accounts are listed or looked through at once.
pub(crate) const PAGE: usize = 10_000;

pub(crate) fn server_tenant() -> Tenant {
    // The name is valid, so the fallback is never taken.
    Tenant::parse(SERVER_TENANT).unwrap_or_default()
}

/// An account at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// The provider (`iss`).
    pub issuer: String,
    /// The person there (`sub`).
    pub subject: String,
}

/// A person who can sign in. Serialised form: the stored document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name to sign in with, lower case.
    pub name: String,
    /// What to call the person on the screen.
    pub display_name: String,
    /// The organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
    /// The password's stored form; none for an account of an identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The account at an identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
    /// The roles, by tenant.
    pub grants: Grants,
    /// The tenant whose administrator made it; none when the operator of the server or an identity provider did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Tenant>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the password or the roles were last changed.
    pub changed_at: Timestamp,
}

impl Account {
    /// Whether somebody may see, change and remove the account: an administrator of every tenant in which it has a
    /// role. One without roles belongs to the tenant that made it, or else to the server: then only an administrator
    /// of every tenant may.
    #[must_use]
    pub fn is_managed_by(&self, by: &Subject) -> bool {
        match &self.home {
            _ if !self.grants.is_empty() => by.may_grant(&self.grants),
            Some(home) => by.grants.allow(Action::ManageUsers, home.as_str()),
            None => by.grants.allow(Action::ManageUsers, EVERY_TENANT),
        }
    }

    /// An account without a password, for a person of an identity provider. Its name says nothing of the person.
    pub(crate) fn external(external: External, now: Timestamp) -> Self {
        let mut name = fingerprint(&external_key(&external));
        name.truncate(16);
        Self {
            name: format!("oidc-{name}"),
            display_name: String::new(),
            party: None,
            password: None,
            external: Some(external),
            grants: Grants::default(),
            home: None,
            created_at: now,
            changed_at: now,
        }
    }
}

impl Document for Account {
    const COLLECTION: &'static str = "accounts";

    fn key(&self) -> String {
        self.name.clone()
    }

    fn indexes(&self) -> Vec<(&'static str, String)> {
        self.external.iter().map(|e| ("external", external_key(e))).collect()
    }
}

fn external_key(external: &External) -> String {
    format!("{} {}", external.issuer, external.subject)
}

/// What is needed for a new account with a password.
#[derive(Clone)]
pub struct NewUser {
    /// The name to sign in with.
    pub name: String,
    /// The password, as typed.
    pub password: String,
    /// The organisation.
    pub party: Option<String>,
    /// The roles, by tenant.
    pub grants: Grants,
    /// The tenant whose administrator makes it; none when it is the operator of the server.
    pub home: Option<Tenant>,
}

/// Adds an account. `by` is who does it. Takes tens of milliseconds of CPU for the password.
///
/// # Errors
/// The name is taken or not a name, the password is too weak, `by` may not give these roles or is no person, or the
/// store fails.
pub fn add(store: &Store, by: &Subject, new: NewUser, now: Timestamp) -> Result<Account, TrustError> {
    by.check_in_person("accounts")?;
    let name = check_name(&new.name)?;
    password::check_new(&new.password, &name)?;
    check_grants(by, &new.grants)?;
    let account = Account {
        display_name: name.clone(),
        party: new.party,
        password: Some(password::hash(&new.password)?),
        external: None,
        grants: new.grants,
        home: new.home,
        created_at: now,
        changed_at: now,
        name,
    };
    check_managed(by, &account)?;
    let mut tx = Transaction::new(server_tenant());
    tx.put_document(&account, Expect::Absent)?;
    record(&mut tx, by, "user.add", &account, now);
    match store.commit_blocking(tx) {
        Err(store::CommitError::Conflict { .. }) => {
            let detail = format!("\"{}\" is taken", account.name);
            Err(TrustError::Taken(Problem::new("name", detail, "choose another name")))
        }
        other => other.map(|_| account).map_err(TrustError::from),
    }
}

/// All accounts, by name.
///
/// # Errors
/// The store fails.
pub fn list(store: &Store) -> Result<Vec<Account>, TrustError> {
    let accounts = store.snapshot()?.documents::<Account>(&server_tenant(), &DocumentSelect::All, None, PAGE)?;
    Ok(accounts.into_iter().map(|stored| stored.value).collect())
}

/// Replaces the roles of an account. It holds at once, also for sessions and tokens that exist.
///
/// # Errors
/// There is no such account, `by` may not take or give these roles or is no person, or the store fails.
pub fn set_roles(
    store: &Store,
    by: &Subject,
    name: &str,
    grants: Grants,
    now: Timestamp,
) -> Result<Account, TrustError> {
    by.check_in_person("accounts")?;
    let Stored { version, value: mut account } = existing(store, name)?;
    check_managed(by, &account)?;
    check_grants(by, &grants)?;
    account.grants = grants;
    account.changed_at = now;
    let mut tx = Transaction::new(server_tenant());
    tx.put_document(&account, Expect::Version(version))?;
    record(&mut tx, by, "user.set-roles", &account, now);
    store.commit_blocking(tx)?;
    Ok(account)
}

/// Replaces an account's password and ends its sessions. Takes tens of milliseconds of CPU.
///
/// # Errors
/// There is no such account, it has no password of its own, the new one is too weak, or the store fails.
pub fn set_password(store: &Store, by: &Subject, name: &str, new: &str, now: Timestamp) -> Result<(), TrustError> {
    by.check_in_person("accounts")?;
    let Stored { version, value: mut account } = existing(store, name)?;
    if account.external.is_some() {
        let remedy = "change the password at the identity provider";
        return Err(Problem::new("password", "the account signs in through an identity provider", remedy).into());
    }
    if *by.name != *account.name {
        check_managed(by, &account)?;
    }
    password::check_new(new, &account.name)?;
    account.password = Some(password::hash(new)?);
    account.changed_at = now;
    let mut tx = Transaction::new(server_tenant());
    tx.put_document(&account, Expect::Version(version))?;
    sessions::end_all(store, &mut tx, &account.name)?;
    record(&mut tx, by, "user.set-password", &account, now);
    store.commit_blocking(tx)?;
    Ok(())
}

/// Removes an account with its sessions and tokens.
///
/// # Errors
/// There is no such account, `by` may not or is no person, or the store fails.
pub fn remove(store: &Store, by: &Subject, name: &str, now: Timestamp) -> Result<(), TrustError> {
    by.check_in_person("accounts")?;
    let Stored { version, value: account } = existing(store, name)?;
    check_managed(by, &account)?;
    let mut tx = Transaction::new(server_tenant());
    tx.delete_document::<Account>(&account.name, Expect::Version(version));
    sessions::end_all(store, &mut tx, &account.name)?;
    tokens::revoke_all(store, &mut tx, &account.name)?;
    record(&mut tx, by, "user.remove", &account, now);
    store.commit_blocking(tx)?;
    Ok(())
}

/// The account of a person at an identity provider.
pub(crate) fn by_external(store: &Store, external: &External) -> Result<Option<Stored<Account>>, TrustError> {
    let select = DocumentSelect::Index("external", external_key(external));
    Ok(store.snapshot()?.documents::<Account>(&server_tenant(), &select, None, 1)?.pop())
}

pub(crate) fn find(store: &Store, name: &str) -> Result<Option<Stored<Account>>, TrustError> {
    // A name that no account can have is not looked up: its length has no bound.
    let Ok(name) = check_name(name) else { return Ok(None) };
    Ok(store.snapshot()?.document::<Account>(&server_tenant(), &name)?)
}

pub(crate) fn existing(store: &Store, name: &str) -> Result<Stored<Account>, TrustError> {
    find(store, name)?.ok_or_else(|| {
        let name: String = name.chars().take(80).collect();
        let detail = format!("there is no account \"{name}\"");
        TrustError::Missing(Problem::new("name", detail, "list the accounts to see their names"))
    })
}

/// What the audit calls those who have no account.
const NAMES_TAKEN: [&str; 2] = ["anonymous", "open"];

fn check_name(name: &str) -> Result<String, Problem> {
    let name = name.trim().to_lowercase();
    let fits = (2..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-@+".contains(&b));
    if fits && !NAMES_TAKEN.contains(&name.as_str()) {
        return Ok(name);
    }
    let shown: String = name.chars().take(80).collect();
    Err(Problem::new(
        "name",
        format!("\"{shown}\" cannot be an account's name"),
        "use 2 to 64 letters a-z, digits, '.', '_', '-', '@' or '+', and not a word that the audit uses for nobody",
    ))
}

fn check_grants(by: &Subject, grants: &Grants) -> Result<(), TrustError> {
    if by.may_grant(grants) {
        return Ok(());
    }
    let detail = format!("{} is not an administrator of every tenant that is named", by.name);
    Err(TrustError::Denied(Problem::new("roles", detail, format!("ask somebody with {} there", Action::ManageUsers))))
}

fn check_managed(by: &Subject, account: &Account) -> Result<(), TrustError> {
    if account.is_managed_by(by) {
        return Ok(());
    }
    let detail = format!("{} is not an administrator of every tenant that {} belongs to", by.name, account.name);
    Err(TrustError::Denied(Problem::new("name", detail, format!("ask somebody with {} there", Action::ManageUsers))))
}

fn record(tx: &mut Transaction, by: &Subject, action: &str, account: &Account, now: Timestamp) {
    let mut entry = audit_entry(by, action, &account.name, Outcome::Done, now);
    entry.detail = json!({ "roles": account.grants });
    tx.audit(entry);
}
