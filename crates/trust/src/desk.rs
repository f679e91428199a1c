//! The front desk: from what a request carries to the subject it is made for; signing in and out.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use model::{Problem, Timestamp};
use serde_json::json;
use store::{Expect, Store, Stored, Transaction};
use subtle::ConstantTimeEq;
use tokio::{sync::Semaphore, task::spawn_blocking};
use url::Url;

use crate::{
    Action, Decision, Grants, Oidc, Outcome, Policy, Resource, Subject, SubjectKind, TrustError, audit_entry,
    departures::{self, Departure},
    oidc::Vouched,
    password,
    secret::{fingerprint, new_secret},
    sessions::{self, Session},
    throttle::{Throttle, network_of},
    tokens::{self, Token},
    users::{self, Account, server_tenant},
};

/// How many passwords are hashed at once: each takes 19 MiB and a core.
const HASHING_MAX: usize = 2;
/// Ended sessions are cleared away at a sign-in, at most this often, microseconds.
const SWEEP_MICROS: i64 = 3_600_000_000;

/// Accounts, sessions, tokens and the one decision, as one handle. Cheap to clone.
#[derive(Clone)]
pub struct Trust(Arc<Inner>);

struct Inner {
    store: Store,
    policy: Policy,
    open: bool,
    oidc: Option<Oidc>,
    hashing: Semaphore,
    throttle: Throttle,
    swept_at: AtomicI64,
}

/// Who a request is made for.
#[derive(Clone, Debug)]
pub struct Identity {
    /// On whose behalf.
    pub subject: Arc<Subject>,
    /// The session, when a cookie said who.
    pub session: Option<Arc<SessionIdentity>>,
    /// That a credential was used, to be written down.
    pub touch: Option<Touch>,
}

/// What the door must know of a session.
#[derive(Debug)]
pub struct SessionIdentity {
    /// What the session's own pages must repeat in unsafe requests.
    pub csrf: String,
    /// What to call the person on the screen.
    pub display_name: String,
}

impl SessionIdentity {
    /// Whether a text is this session's secret against requests from other sites; takes the same time for every text.
    #[must_use]
    pub fn csrf_fits(&self, given: &str) -> bool {
        self.csrf.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// The use of a token or a session, not yet written down.
#[derive(Clone, Debug)]
pub struct Touch(Box<Touched>);

#[derive(Clone, Debug)]
enum Touched {
    Token(Stored<Token>),
    Session(Stored<Session>),
}

/// What a sign-in gives: the cookie goes to the browser and is stored nowhere.
pub struct SignedIn {
    /// The value of the session's cookie.
    pub cookie: String,
    /// What the session's own pages must repeat in unsafe requests.
    pub csrf: String,
    /// The account.
    pub account: Account,
}

impl Trust {
    /// The desk of one server. `open` lets everybody in as an administrator: for tests on loopback addresses only.
    #[must_use]
    pub fn new(store: Store, policy: Policy, oidc: Option<Oidc>, open: bool) -> Self {
        let hashing = Semaphore::new(HASHING_MAX);
        let swept_at = AtomicI64::new(i64::MIN);
        Self(Arc::new(Inner { store, policy, open, oidc, hashing, throttle: Throttle::default(), swept_at }))
    }

    /// Whether everybody is let in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.open
    }

    /// The identity provider's name, where there is one.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.0.oidc.as_ref().map(Oidc::name)
    }

    /// See [`Policy::decide`].
    #[must_use]
    pub fn decide(&self, subject: &Subject, action: Action, resource: Resource<'_>, purpose: Option<&str>) -> Decision {
        self.0.policy.decide(subject, action, resource, purpose)
    }

    /// Who a request is made for.
    ///
    /// # Errors
    /// A token was given that is not valid, or the store fails. A cookie that is not valid makes nobody of its
    /// bearer, without an error: it has simply ended.
    pub fn identify(&self, bearer: Option<&str>, cookie: Option<&str>, now: Timestamp) -> Result<Identity, TrustError> {
        if self.0.open {
            return Ok(Identity { subject: Arc::new(Subject::open()), session: None, touch: None });
        }
        if let Some(token) = bearer {
            return self.machine(token, now);
        }
        let person = cookie.map(|cookie| self.person(cookie, now)).transpose()?.flatten();
        Ok(person.unwrap_or_else(|| Identity { subject: Arc::new(Subject::anonymous()), session: None, touch: None }))
    }

    fn machine(&self, token: &str, now: Timestamp) -> Result<Identity, TrustError> {
        if !token.starts_with(tokens::PREFIX) {
            return Err(TrustError::TokenInvalid);
        }
        let snapshot = self.0.store.snapshot()?;
        let stored = snapshot.document::<Token>(&server_tenant(), &fingerprint(token))?;
        let stored = stored.filter(|t| t.value.is_alive(now)).ok_or(TrustError::TokenInvalid)?;
        let owner = snapshot.document::<Account>(&server_tenant(), &stored.value.owner)?;
        let owner = owner.ok_or(TrustError::TokenInvalid)?.value;
        let subject = of_token(owner, &stored.value);
        let touch = stored.value.is_stale(now).then(|| Touch(Box::new(Touched::Token(stored))));
        Ok(Identity { subject: Arc::new(subject), session: None, touch })
    }

    fn person(&self, cookie: &str, now: Timestamp) -> Result<Option<Identity>, TrustError> {
        let snapshot = self.0.store.snapshot()?;
        let stored = snapshot.document::<Session>(&server_tenant(), &fingerprint(cookie))?;
        let Some(stored) = stored.filter(|s| s.value.is_alive(now)) else { return Ok(None) };
        let account = snapshot.document::<Account>(&server_tenant(), &stored.value.account)?;
        let Some(account) = account.map(|a| a.value) else { return Ok(None) };
        let csrf = stored.value.csrf.clone();
        let session = Some(Arc::new(SessionIdentity { csrf, display_name: account.display_name.clone() }));
        let subject = of_account(account);
        let touch = stored.value.is_stale(now).then(|| Touch(Box::new(Touched::Session(stored))));
        Ok(Some(Identity { subject: Arc::new(subject), session, touch }))
    }

    /// Who once asked for something that lasts (a subscription), as they are now: `name` and `since` are those that the
    /// subject had then. `None` when the account is gone, or its token has ended or was revoked.
    ///
    /// # Errors
    /// The store fails.
    pub fn recall(&self, name: &str, since: Option<Timestamp>, now: Timestamp) -> Result<Option<Subject>, TrustError> {
        if self.0.open {
            return Ok(Some(Subject::open()));
        }
        let (account, token) = name.split_once('/').map_or((name, None), |(account, token)| (account, Some(token)));
        let found = users::find(&self.0.store, account)?.map(|stored| stored.value);
        let Some(account) = found.filter(|account| since == Some(account.created_at)) else { return Ok(None) };
        let Some(token) = token else { return Ok(Some(of_account(account))) };
        let token = tokens::find(&self.0.store, token)?.filter(|t| t.owner == account.name && t.is_alive(now));
        Ok(token.map(|token| of_token(account, &token)))
    }

    /// Writes down that a credential was used. A conflict means that it was just written or ended: nothing is lost.
    pub async fn touch(&self, touch: Touch, now: Timestamp) {
        let mut tx = Transaction::new(server_tenant());
        let put = match *touch.0 {
            Touched::Token(Stored { version, mut value }) => {
                value.used_at = Some(now);
                tx.put_document(&value, Expect::Version(version))
            }
            Touched::Session(Stored { version, mut value }) => {
                value.seen_at = now;
                tx.put_document(&value, Expect::Version(version))
            }
        };
        if put.is_ok()
            && let Err(error @ store::CommitError::Store(_)) = self.0.store.commit(tx).await
        {
            tracing::warn!(%error, "the use of a credential was not written down");
        }
    }

    /// Signs in with a name and a password. An earlier session of the same browser ends.
    ///
    /// # Errors
    /// The name or the password is wrong (never which), there were too many attempts, or the store fails.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
        earlier: Option<&str>,
        now: Timestamp,
    ) -> Result<SignedIn, TrustError> {
        let account = self.checked(name, password, from, now).await?;
        self.begin(account, "password", from, earlier, now).await
    }

    /// Confirms that whoever asks knows an account's password, as [`Self::sign_in`] does, without a session.
    ///
    /// # Errors
    /// As [`Self::sign_in`].
    pub async fn confirm_password(
        &self,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), TrustError> {
        self.checked(name, password, from, now).await.map(drop)
    }

    /// The account, when the password fits. Both answers take the same work.
    async fn checked(
        &self,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Account, TrustError> {
        let name: String = name.trim().chars().take(64).collect::<String>().to_lowercase();
        let account_key = format!("account {name}");
        let mut keys = vec![account_key.clone()];
        keys.extend(from.map(|address| format!("address {}", network_of(address))));
        let too_soon = |seconds| TrustError::TooManyAttempts { seconds };
        self.0.throttle.check(&keys, now).map_err(too_soon)?;
        let account = users::find(&self.0.store, &name)?.map(|stored| stored.value);
        let hash = account.as_ref().and_then(|account| account.password.clone());
        let password = password.to_owned();
        let permit = self.0.hashing.acquire().await.map_err(|e| TrustError::Hashing(e.to_string()))?;
        // Those that came while this one waited may have failed: a crowd of attempts at once gets no more tries.
        self.0.throttle.check(&keys, now).map_err(too_soon)?;
        let checked = spawn_blocking(move || password::verify(&password, hash.as_deref())).await;
        let fits = checked.map_err(|e| TrustError::Hashing(e.to_string()))??;
        if let Some(account) = account.filter(|_| fits) {
            self.0.throttle.succeeded(&account_key);
            return Ok(account);
        }
        self.0.throttle.failed(&keys, now);
        drop(permit);
        self.record_failure(&name, from, now).await?;
        Err(TrustError::WrongNameOrPassword)
    }

    /// The name typed is only kept when it is an account's: people type passwords into the wrong field.
    async fn record_failure(&self, name: &str, from: Option<IpAddr>, now: Timestamp) -> Result<(), TrustError> {
        let known = users::find(&self.0.store, name)?.is_some();
        let mut tx = Transaction::new(server_tenant());
        let resource = if known { name } else { "an unknown account" };
        let mut entry = audit_entry(&Subject::anonymous(), "session.sign-in", resource, Outcome::Refused, now);
        entry.reason = "wrong name or password".to_owned();
        entry.detail = json!({ "address": from.map(|a| a.to_string()) });
        tx.audit(entry);
        self.0.store.commit(tx).await?;
        Ok(())
    }

    async fn begin(
        &self,
        account: Account,
        way: &str,
        from: Option<IpAddr>,
        earlier: Option<&str>,
        now: Timestamp,
    ) -> Result<SignedIn, TrustError> {
        let (session, cookie) = Session::new(&account.name, now)?;
        let mut tx = Transaction::new(server_tenant());
        if now.micros().saturating_sub(self.0.swept_at.load(Ordering::Relaxed)) > SWEEP_MICROS {
            self.0.swept_at.store(now.micros(), Ordering::Relaxed);
            sessions::sweep(&self.0.store, &mut tx, now)?;
        }
        if let Some(earlier) = earlier {
            tx.delete_document::<Session>(&fingerprint(earlier), Expect::Any);
        }
        tx.put_document(&session, Expect::Absent)?;
        let subject = Subject::of(SubjectKind::Person, &account.name, account.grants.clone());
        let mut entry = audit_entry(&subject, "session.sign-in", &account.name, Outcome::Done, now);
        entry.detail = json!({ "way": way, "address": from.map(|a| a.to_string()) });
        tx.audit(entry);
        self.0.store.commit(tx).await?;
        Ok(SignedIn { cookie, csrf: session.csrf, account })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The store fails.
    pub async fn sign_out(&self, cookie: &str, by: &Subject, now: Timestamp) -> Result<(), TrustError> {
        let mut tx = Transaction::new(server_tenant());
        tx.delete_document::<Session>(&fingerprint(cookie), Expect::Any);
        tx.audit(audit_entry(by, "session.sign-out", &by.name, Outcome::Done, now));
        self.0.store.commit(tx).await?;
        Ok(())
    }

    /// Sends a browser to the identity provider. Returns where to, and the value of the cookie that ties the answer
    /// to this browser. `return_to` is a path of this server.
    ///
    /// # Errors
    /// There is no provider, it does not answer, or the store fails.
    pub async fn depart(&self, return_to: &str, now: Timestamp) -> Result<(Url, String), TrustError> {
        let (url, journey) = self.oidc()?.start(now).await?;
        let cookie = new_secret()?;
        let departure = Departure {
            fingerprint: fingerprint(&cookie),
            journey,
            return_to: local_path(return_to).to_owned(),
            created_at: now,
        };
        let tx = departures::add(&self.0.store, &departure, now)?;
        self.0.store.commit(tx).await?;
        Ok((url, cookie))
    }

    /// Receives a browser back from the identity provider. Returns the sign-in and the path to go to.
    ///
    /// # Errors
    /// The answer does not belong to this browser, is too late, or does not verify; or the store fails.
    pub async fn arrive(
        &self,
        cookie: &str,
        state: &str,
        code: String,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(SignedIn, String), TrustError> {
        let oidc = self.oidc()?;
        let refuse =
            |detail: &str| TrustError::Provider { provider: oidc.name().to_owned(), detail: detail.to_owned() };
        let found = self.0.store.snapshot()?.document::<Departure>(&server_tenant(), &fingerprint(cookie))?;
        let Stored { version, value: departure } = found.ok_or_else(|| refuse("this browser did not ask for it"))?;
        // Used once, whatever comes of it.
        let mut tx = Transaction::new(server_tenant());
        tx.delete_document::<Departure>(&departure.fingerprint, Expect::Version(version));
        self.0.store.commit(tx).await?;
        if departure.is_over(now) {
            return Err(refuse("it took longer than ten minutes"));
        }
        if !bool::from(departure.journey.state.as_bytes().ct_eq(state.as_bytes())) {
            return Err(refuse("the answer belongs to another request"));
        }
        let vouched = oidc.finish(departure.journey, code, now).await?;
        let account = self.link(vouched, now).await?;
        let signed_in = self.begin(account, oidc.name(), from, None, now).await?;
        Ok((signed_in, departure.return_to))
    }

    /// The account of a person whom the provider vouches for, made at the first time; the roles follow the provider.
    async fn link(&self, vouched: Vouched, now: Timestamp) -> Result<Account, TrustError> {
        let Vouched { external, display_name, grants } = vouched;
        let known = users::by_external(&self.0.store, &external)?;
        let (expect, mut account) = match known {
            Some(Stored { version, value }) => (Expect::Version(version), value),
            None => (Expect::Absent, Account::external(external, now)),
        };
        if account.grants == grants && account.display_name == display_name {
            return Ok(account);
        }
        account.display_name = display_name;
        account.grants = grants;
        account.changed_at = now;
        let mut tx = Transaction::new(server_tenant());
        tx.put_document(&account, expect)?;
        let subject = Subject::of(SubjectKind::Machine, self.oidc()?.name(), Grants::default());
        let mut entry = audit_entry(&subject, "user.link", &account.name, Outcome::Done, now);
        entry.reason = "the identity provider says so".to_owned();
        entry.detail = json!({ "roles": account.grants });
        tx.audit(entry);
        self.0.store.commit(tx).await?;
        Ok(account)
    }

    fn oidc(&self) -> Result<&Oidc, TrustError> {
        let missing =
            || Problem::new("oidc", "no identity provider is configured", "sign in with a name and a password");
        Ok(self.0.oidc.as_ref().ok_or_else(missing)?)
    }
}

fn of_account(account: Account) -> Subject {
    let mut subject = Subject::of(SubjectKind::Person, &account.name, account.grants);
    subject.since = Some(account.created_at);
    subject.party = account.party.map(Arc::from);
    subject
}

fn of_token(owner: Account, token: &Token) -> Subject {
    let name = format!("{}/{}", owner.name, token.id());
    let person = of_account(owner);
    Subject { kind: SubjectKind::Machine, name: name.into(), scopes: Some(token.scopes.clone()), ..person }
}

/// A path of this server to return to; anything else (another site) becomes the start page.
fn local_path(path: &str) -> &str {
    let local = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t']);
    if local && path.len() <= 2_000 { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site_after_signing_in() {
        for path in
            ["//evil.example", "https://evil.example", "/\\evil.example", "", "javascript:x", "/\t/evil.example"]
        {
            assert_eq!(local_path(path), "/", "{path}");
        }
        assert_eq!(local_path("/map?layer=traffic#14/51.9/4.5"), "/map?layer=traffic#14/51.9/4.5");
    }
}
