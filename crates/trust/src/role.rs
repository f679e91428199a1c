//! The roles, and the table that says which role may do what.

use std::{fmt, str::FromStr};

use model::Problem;
use serde::{Deserialize, Serialize};

use crate::Action;

/// What somebody is in a municipality. A person may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Reads everything of the tenant, also what is not public.
    Viewer,
    /// Reads, subscribes to changes, and plans and rehearses events.
    Analyst,
    /// Works with the live city: sets its clock, watches the sources, runs events.
    Operator,
    /// Answers for the data: writes, corrects and deletes them, manages sources.
    DataSteward,
    /// Everything, including accounts and the audit.
    Administrator,
}

/// What an administrator alone may do, and what each other role may do. Absent means denied.
const RIGHTS: &[(Action, &[Role])] = {
    use Role::{Administrator, Analyst, DataSteward, Operator, Viewer};
    &[
        (Action::ReadHealth, &[Viewer, Analyst, Operator, DataSteward, Administrator]),
        (Action::UseSession, &[Viewer, Analyst, Operator, DataSteward, Administrator]),
        (Action::ReadLayers, &[Viewer, Analyst, Operator, DataSteward, Administrator]),
        (Action::ReadEntities, &[Viewer, Analyst, Operator, DataSteward, Administrator]),
        (Action::WriteEntities, &[DataSteward, Administrator]),
        (Action::DeleteEntities, &[DataSteward, Administrator]),
        (Action::ReadHistory, &[Viewer, Analyst, Operator, DataSteward, Administrator]),
        (Action::WriteHistory, &[DataSteward, Administrator]),
        (Action::ManageSubscriptions, &[Analyst, Operator, DataSteward, Administrator]),
        (Action::ManageContexts, &[DataSteward, Administrator]),
        (Action::SetClock, &[Operator, Administrator]),
        (Action::ReadSources, &[Operator, DataSteward, Administrator]),
        (Action::ManageSources, &[DataSteward, Administrator]),
        (Action::ReadMetrics, &[Operator, Administrator]),
        (Action::ManageOwnTokens, &[Viewer, Analyst, Operator, DataSteward, Administrator]),
        (Action::ManageUsers, &[Administrator]),
        (Action::ReadAudit, &[Administrator]),
        (Action::ReadCrowd, &[Viewer, Analyst, Operator, DataSteward, Administrator]),
        (Action::PlanCrowd, &[Analyst, Operator, Administrator]),
        (Action::ActOnCrowd, &[Operator, Administrator]),
    ]
};

impl Role {
    /// Every role, from the least to the most rights.
    pub const ALL: &'static [Role] =
        &[Self::Viewer, Self::Analyst, Self::Operator, Self::DataSteward, Self::Administrator];

    /// Whether the role may do something.
    #[must_use]
    pub fn may(self, action: Action) -> bool {
        RIGHTS.iter().any(|(a, roles)| *a == action && roles.contains(&self))
    }

    /// The name in settings, on the command line and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
            Self::DataSteward => "dataSteward",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        Self::ALL.iter().copied().find(|r| r.name().eq_ignore_ascii_case(&plain)).ok_or_else(|| {
            let text: String = text.chars().take(80).collect();
            let remedy = "use viewer, analyst, operator, dataSteward or administrator";
            Problem::new("role", format!("\"{text}\" is not a role"), remedy)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_exactly_one_row_and_an_administrator_may_do_it() {
        for action in Action::ALL {
            assert_eq!(RIGHTS.iter().filter(|(a, _)| a == action).count(), 1, "{action}");
            assert!(Role::Administrator.may(*action), "{action}");
        }
    }

    #[test]
    fn a_role_is_found_by_its_name_in_any_spelling_of_case_and_dashes() {
        assert_eq!("data-steward".parse(), Ok(Role::DataSteward));
        assert_eq!("Data steward".parse(), Ok(Role::DataSteward));
        assert!("root".parse::<Role>().unwrap_err().remedy.contains("viewer"));
    }
}
