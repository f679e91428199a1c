//! The one decision: may this subject do this here, and what may it see.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use model::{Iri, ReadScope, Tenant};

use crate::{Action, Subject, SubjectKind};

/// What somebody without an account may do; reading is limited to the public types.
pub(crate) const PUBLIC_ACTIONS: &[Action] =
    &[Action::ReadHealth, Action::UseSession, Action::ReadLayers, Action::ReadEntities, Action::ReadHistory];

/// Tenants whose name starts so belong to the server itself. No request reaches them.
const RESERVED_PREFIX: &str = "_";

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// Whose data.
    pub tenant: &'a Tenant,
    /// Which thing, for the audit: the path of the route.
    pub name: &'a str,
}

/// The answer, with its reason for the audit and for the person who was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may happen.
    pub allowed: bool,
    /// Why, in a few words.
    pub reason: &'static str,
    /// Which entities may be shown.
    pub scope: ReadScope,
}

/// What is public, by tenant; the rest of the rules is the table of roles.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    public: HashMap<Tenant, Arc<HashSet<Iri>>>,
}

impl Policy {
    /// Nothing is public.
    #[must_use]
    pub fn closed() -> Self {
        Self::default()
    }

    /// Lets everybody read the entity types given (expanded names) of one tenant.
    #[must_use]
    pub fn with_public(mut self, tenant: Tenant, types: impl IntoIterator<Item = Iri>) -> Self {
        self.public.insert(tenant, Arc::new(types.into_iter().collect()));
        self
    }

    /// Whether the subject may do the action on the resource for the stated purpose.
    ///
    /// Deny is the default. A role in the tenant allows what the rights table says; a token never more than its
    /// scopes; anybody may read the public entity types of a tenant that has some. The purpose does not change the
    /// answer; it is part of the question so that the audit can say it.
    #[must_use]
    pub fn decide(
        &self,
        subject: &Subject,
        action: Action,
        resource: Resource<'_>,
        _purpose: Option<&str>,
    ) -> Decision {
        if resource.tenant.as_str().starts_with(RESERVED_PREFIX) {
            return denied("the tenant belongs to the server itself");
        }
        if subject.scopes.as_ref().is_some_and(|scopes| !scopes.contains(&action)) {
            return denied("the token's scopes do not include it");
        }
        if subject.grants.allow(action, resource.tenant.as_str()) {
            return Decision { allowed: true, reason: "a role allows it", scope: ReadScope::All };
        }
        match self.public.get(resource.tenant) {
            Some(types) if PUBLIC_ACTIONS.contains(&action) => {
                Decision { allowed: true, reason: "it is public", scope: ReadScope::Types(Arc::clone(types)) }
            }
            // Health and sign-in exist outside the data of any tenant.
            None if matches!(action, Action::ReadHealth | Action::UseSession) => {
                Decision { allowed: true, reason: "it is public", ..denied("") }
            }
            _ if subject.kind == SubjectKind::Anonymous => denied("it needs an account"),
            _ => denied("none of the subject's roles in this tenant allows it"),
        }
    }
}

fn denied(reason: &'static str) -> Decision {
    Decision { allowed: false, reason, scope: ReadScope::Types(Arc::default()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Grants, Role};

    fn policy() -> Policy {
        Policy::closed().with_public(Tenant::default(), [Iri::from("urn:Tree")])
    }

    fn decide(subject: &Subject, action: Action, tenant: &str) -> Decision {
        let tenant = Tenant::parse(tenant).unwrap();
        policy().decide(subject, action, Resource { tenant: &tenant, name: "/x" }, None)
    }

    #[test]
    fn the_table_of_roles_and_actions_is_this_one() {
        let mut table = format!("{:22}{:>10}", "", "anonymous");
        for role in Role::ALL {
            table += &format!("{:>14}", role.name());
        }
        for action in Action::ALL {
            let subjects = Role::ALL
                .iter()
                .map(|role| Subject::of(SubjectKind::Person, "p", Grants::within(&Tenant::default(), [*role])));
            let mark = |subject: &Subject| if decide(subject, *action, "default").allowed { "yes" } else { "-" };
            table += &format!("\n{:22}{:>10}", action.scope(), mark(&Subject::anonymous()));
            for subject in subjects {
                table += &format!("{:>14}", mark(&subject));
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_stranger_sees_the_public_types_and_nothing_of_other_tenants() {
        let shown = decide(&Subject::anonymous(), Action::ReadEntities, "default");
        assert!(
            shown.allowed && shown.scope.shows_type(&"urn:Tree".into()) && !shown.scope.shows_type(&"urn:X".into())
        );
        assert!(!decide(&Subject::anonymous(), Action::ReadEntities, "other").allowed);
    }

    #[test]
    fn a_role_in_one_tenant_gives_no_more_than_a_stranger_has_in_another() {
        let steward = Grants::within(&Tenant::parse("utrecht").unwrap(), [Role::DataSteward]);
        let subject = Subject::of(SubjectKind::Person, "p", steward);
        assert!(decide(&subject, Action::WriteEntities, "utrecht").allowed);
        assert!(!decide(&subject, Action::WriteEntities, "default").allowed);
        assert_ne!(decide(&subject, Action::ReadEntities, "default").scope, ReadScope::All);
    }

    #[test]
    fn a_token_never_allows_more_than_its_scopes_or_than_its_owner() {
        let mut subject = Subject::of(SubjectKind::Machine, "m", Grants::everywhere([Role::Viewer]));
        subject.scopes = Some([Action::ReadEntities, Action::WriteEntities].into());
        assert!(decide(&subject, Action::ReadEntities, "default").allowed);
        assert!(!decide(&subject, Action::WriteEntities, "default").allowed);
        assert!(!decide(&subject, Action::ReadHistory, "default").allowed);
    }

    #[test]
    fn the_servers_own_tenants_are_out_of_reach_even_for_an_administrator() {
        assert!(!decide(&Subject::open(), Action::ReadEntities, "_server").allowed);
    }

    #[test]
    fn only_an_administrator_of_a_tenant_hands_out_roles_there() {
        let here = Grants::within(&Tenant::default(), [Role::Administrator]);
        let subject = Subject::of(SubjectKind::Person, "a", here.clone());
        assert!(subject.may_grant(&here));
        assert!(!subject.may_grant(&Grants::everywhere([Role::Viewer])));
    }
}
