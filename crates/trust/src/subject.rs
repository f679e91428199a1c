//! The subject: on whose behalf a request is made.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{Problem, Tenant, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Action, Role, TrustError};

/// The name that stands for every tenant in [`Grants`].
pub(crate) const EVERY_TENANT: &str = "*";

/// Which roles somebody has, by tenant; the name `*` means in every tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grants(BTreeMap<String, BTreeSet<Role>>);

impl Grants {
    /// The roles given, in every tenant.
    #[must_use]
    pub fn everywhere(roles: impl IntoIterator<Item = Role>) -> Self {
        Self(BTreeMap::from([(EVERY_TENANT.to_owned(), roles.into_iter().collect())]))
    }

    /// The roles given, in one tenant.
    #[must_use]
    pub fn within(tenant: &Tenant, roles: impl IntoIterator<Item = Role>) -> Self {
        Self(BTreeMap::from([(tenant.as_str().to_owned(), roles.into_iter().collect())]))
    }

    /// From `role` (in every tenant) and `tenant:role` texts, as typed on the command line.
    ///
    /// # Errors
    /// Names the text that is not a tenant or a role.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let mut grants = Self::default();
        for text in texts {
            let (tenant, role) = text.split_once(':').unwrap_or((EVERY_TENANT, text));
            if tenant != EVERY_TENANT {
                Tenant::parse(tenant)?;
            }
            grants.0.entry(tenant.to_owned()).or_default().insert(role.parse()?);
        }
        Ok(grants)
    }

    /// The roles in one tenant, with those that hold everywhere.
    pub fn roles_in<'a>(&'a self, tenant: &'a str) -> impl Iterator<Item = Role> + 'a {
        let named = self.0.get(tenant).into_iter();
        named.chain(self.0.get(EVERY_TENANT).filter(|_| tenant != EVERY_TENANT)).flatten().copied()
    }

    /// Whether some role in the tenant allows the action.
    #[must_use]
    pub fn allow(&self, action: Action, tenant: &str) -> bool {
        self.roles_in(tenant).any(|role| role.may(action))
    }

    /// Whether there is no role in any tenant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().all(BTreeSet::is_empty)
    }

    /// Whether some role in some tenant allows the action.
    #[must_use]
    pub fn allow_somewhere(&self, action: Action) -> bool {
        self.0.values().flatten().any(|role| role.may(action))
    }

    /// As [`Self::parse`] reads them: `role` for every tenant, `tenant:role` for one.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let text = |tenant: &str, role: &Role| {
            if tenant == EVERY_TENANT { role.to_string() } else { format!("{tenant}:{role}") }
        };
        self.0.iter().flat_map(|(tenant, roles)| roles.iter().map(move |role| text(tenant, role))).collect()
    }

    /// The tenants named (`*` for all), with the roles there.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &BTreeSet<Role>)> {
        self.0.iter().map(|(tenant, roles)| (tenant.as_str(), roles))
    }
}

/// What kind of party asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SubjectKind {
    /// Nobody that we know.
    Anonymous,
    /// A person with an account, signed in.
    Person,
    /// A program with an API token.
    Machine,
    /// Anybody at all, on a server that was started with `--open`.
    Open,
}

/// On whose behalf a request is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// A person, a machine, nobody.
    pub kind: SubjectKind,
    /// The account's name, or `name/token-id` for a machine. Written to the audit.
    pub name: Arc<str>,
    /// When the account was made: another one that gets the same name later is somebody else.
    pub since: Option<Timestamp>,
    /// The organisation that the account belongs to.
    pub party: Option<Arc<str>>,
    /// The roles, by tenant.
    pub grants: Grants,
    /// What a token is limited to; `None` is no limit beyond the roles.
    pub scopes: Option<BTreeSet<Action>>,
}

impl Subject {
    /// Nobody that we know.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::of(SubjectKind::Anonymous, "anonymous", Grants::default())
    }

    /// Everybody, on a server that was started with `--open`: may do all that an administrator may.
    #[must_use]
    pub fn open() -> Self {
        Self::of(SubjectKind::Open, "open", Grants::everywhere([Role::Administrator]))
    }

    /// A subject without a party and without limits beyond its roles.
    #[must_use]
    pub fn of(kind: SubjectKind, name: &str, grants: Grants) -> Self {
        Self { kind, name: name.into(), since: None, party: None, grants, scopes: None }
    }

    /// Refuses what lasts longer than a token may: one that leaks could make an account or a token that outlives it.
    pub(crate) fn check_in_person(&self, thing: &str) -> Result<(), TrustError> {
        match self.kind {
            SubjectKind::Person | SubjectKind::Open => Ok(()),
            SubjectKind::Machine | SubjectKind::Anonymous => {
                let detail = format!("{thing} are changed by a person who is signed in, not by an API token");
                let remedy = "sign in with the name and password of an account, or at the identity provider";
                Err(TrustError::Denied(Problem::new(thing, detail, remedy)))
            }
        }
    }

    /// Whether this subject may hand out the roles: only an administrator of each tenant that is named may.
    #[must_use]
    pub fn may_grant(&self, grants: &Grants) -> bool {
        grants.iter().all(|(tenant, _)| self.grants.allow(Action::ManageUsers, tenant))
    }
}
