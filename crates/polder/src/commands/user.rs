//! `polder user`: accounts and tokens, on the data directory itself. The first administrator is made here; there is no
//! default password.

use std::{
    collections::BTreeSet,
    io::{BufRead, IsTerminal},
    path::Path,
};

use anyhow::{Context, Result, bail};
use store::{Store, StoreOptions};
use trust::{Action, Grants, Role, Subject, SubjectKind, tokens::NewToken, users::NewUser};

use crate::{cli::UserCommand, clock::wall};

/// Carries out one command.
pub fn run(command: UserCommand) -> Result<()> {
    match command {
        UserCommand::Add { name, role, tenant, password_stdin, data } => {
            let grants = Grants::parse([format!("{tenant}:{role}").as_str()])?;
            let password = read_password(password_stdin)?;
            with_store(&data.data, |store| {
                let new = NewUser { name, password, party: None, grants, home: None };
                let account = trust::users::add(store, &operator(), new, wall())?;
                println!("{} is added as {role} in {tenant}", account.name);
                Ok(())
            })
        }
        UserCommand::Token { name, scopes, days, data } => {
            let scopes = scopes.iter().map(|scope| scope.parse::<Action>()).collect::<Result<BTreeSet<_>, _>>()?;
            with_store(&data.data, |store| {
                let new = NewToken { owner: name, label: "made on the command line".to_owned(), scopes, days };
                let (token, text) = trust::tokens::create(store, &operator(), new, wall())?;
                eprintln!("valid until {}; it is shown this once:", token.expires_at);
                println!("{text}");
                Ok(())
            })
        }
        UserCommand::List { data } => with_store(&data.data, list),
    }
}

fn list(store: &Store) -> Result<()> {
    for account in trust::users::list(store)? {
        let roles: Vec<String> = account
            .grants
            .iter()
            .flat_map(|(tenant, roles)| roles.iter().map(move |role| format!("{tenant}:{}", role.name())))
            .collect();
        println!("{}\t{}\tsince {}", account.name, roles.join(", "), account.created_at);
    }
    Ok(())
}

/// Whoever may write the data directory may do everything with it; the audit says that it was done there.
fn operator() -> Subject {
    Subject::of(SubjectKind::Person, "command line", Grants::everywhere([Role::Administrator]))
}

fn with_store(data: &Path, act: impl FnOnce(&Store) -> Result<()>) -> Result<()> {
    let store = Store::open(data, &StoreOptions::default())?;
    let done = act(&store);
    store.close()?;
    done
}

fn read_password(from_input: bool) -> Result<String> {
    let input = std::io::stdin();
    if !from_input {
        if !input.is_terminal() {
            bail!("there is no terminal to ask for a password; give it on the input with --password-stdin");
        }
        return rpassword::prompt_password("Password (at least 12 characters): ").context("the password");
    }
    let mut line = String::new();
    input.lock().read_line(&mut line).context("the password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
