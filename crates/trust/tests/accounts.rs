//! Accounts, sessions and tokens over a real store: what they open, when they end, and what is kept of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

extern crate polder_trust as trust;

use std::net::{IpAddr, Ipv4Addr};

use model::{Tenant, Timestamp};
use store::{Store, StoreOptions};
use trust::{
    Action, Grants, Policy, Resource, Role, Subject, SubjectKind, Trust, TrustError,
    tokens::{self, NewToken},
    users::{self, NewUser},
};

const PASSWORD: &str = "tram 8 naar Spangen";
const HERE: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));

fn at(seconds: i64) -> Timestamp {
    Timestamp::parse("2026-08-20T08:00:00Z").unwrap().plus_micros(seconds * 1_000_000)
}

fn command_line() -> Subject {
    Subject::of(SubjectKind::Person, "command line", Grants::everywhere([Role::Administrator]))
}

fn city_with(name: &str, roles: &[&str]) -> (Store, Trust) {
    let store = Store::in_memory(&StoreOptions::default()).unwrap();
    let grants = Grants::parse(roles.iter().copied()).unwrap();
    let new = NewUser { name: name.to_owned(), password: PASSWORD.to_owned(), party: None, grants, home: None };
    users::add(&store, &command_line(), new, at(0)).unwrap();
    let trust = Trust::new(store.clone(), Policy::closed(), None, false);
    (store, trust)
}

fn may(trust: &Trust, subject: &Subject, action: Action) -> bool {
    trust.decide(subject, action, Resource { tenant: &Tenant::default(), name: "/" }, None).allowed
}

/// Everything that the store holds for the server itself, as text.
fn all_that_is_kept(store: &Store) -> String {
    let records = store.audit(0, 1_000).unwrap();
    let audit: String = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    let tokens = format!("{:?}", tokens::list(store, None).unwrap());
    let accounts = format!("{:?}", users::list(store).unwrap());
    audit + &tokens + &accounts
}

#[tokio::test]
async fn a_sign_in_gives_a_session_that_ends_when_idle_and_in_the_evening() {
    let (_, trust) = city_with("anna", &["viewer"]);
    let signed_in = trust.sign_in("Anna ", PASSWORD, HERE, None, at(0)).await.unwrap();
    let cookie = Some(signed_in.cookie.as_str());
    let kind = |s: i64| trust.identify(None, cookie, at(s)).unwrap().subject.kind;
    assert_eq!(kind(60), SubjectKind::Person);
    assert_eq!(kind(3 * 3_600), SubjectKind::Anonymous);
    for hour in 1..12 {
        let identity = trust.identify(None, cookie, at(hour * 3_600)).unwrap();
        assert_eq!(identity.subject.kind, SubjectKind::Person, "{hour} h");
        trust.touch(identity.touch.unwrap(), at(hour * 3_600)).await;
    }
    assert_eq!(kind(12 * 3_600), SubjectKind::Anonymous);
}

#[tokio::test]
async fn signing_in_again_ends_the_earlier_session_of_the_browser() {
    let (_, trust) = city_with("anna", &["viewer"]);
    let first = trust.sign_in("anna", PASSWORD, HERE, None, at(0)).await.unwrap();
    let second = trust.sign_in("anna", PASSWORD, HERE, Some(&first.cookie), at(1)).await.unwrap();
    assert_ne!(first.cookie, second.cookie);
    assert_eq!(trust.identify(None, Some(&first.cookie), at(2)).unwrap().subject.kind, SubjectKind::Anonymous);
    assert_eq!(trust.identify(None, Some(&second.cookie), at(2)).unwrap().subject.kind, SubjectKind::Person);
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let (_, trust) = city_with("anna", &["viewer"]);
    let signed_in = trust.sign_in("anna", PASSWORD, HERE, None, at(0)).await.unwrap();
    let identity = trust.identify(None, Some(&signed_in.cookie), at(1)).unwrap();
    trust.sign_out(&signed_in.cookie, &identity.subject, at(1)).await.unwrap();
    assert_eq!(trust.identify(None, Some(&signed_in.cookie), at(2)).unwrap().subject.kind, SubjectKind::Anonymous);
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_told_apart_by_nothing() {
    let (_, trust) = city_with("anna", &["viewer"]);
    let wrong = trust.sign_in("anna", "not the password", HERE, None, at(0)).await.err().unwrap();
    let unknown = trust.sign_in("bert", "not the password", HERE, None, at(0)).await.err().unwrap();
    assert_eq!(wrong.to_string(), unknown.to_string());
    // Both do the same work. The bound is wide, because the machine may be busy: without the work it is a factor 1,000.
    let time = |name: &'static str| {
        let trust = trust.clone();
        async move {
            let mut best = std::time::Duration::MAX;
            for attempt in 0..3 {
                let started = std::time::Instant::now();
                let _ = trust.sign_in(name, "not the password", None, None, at(4_000 * (attempt + 1))).await;
                best = best.min(started.elapsed());
            }
            best.as_secs_f64()
        }
    };
    let (known, unknown) = (time("anna").await, time("bert").await);
    assert!((0.05..20.0).contains(&(known / unknown)), "{known} s, {unknown} s");
}

#[tokio::test]
async fn guessing_is_slowed_down_even_when_the_guess_is_right() {
    let (_, trust) = city_with("anna", &["viewer"]);
    for _ in 0..6 {
        let refused = trust.sign_in("anna", "not the password", HERE, None, at(0)).await;
        assert!(matches!(refused, Err(TrustError::WrongNameOrPassword)));
    }
    let slowed = trust.sign_in("anna", PASSWORD, HERE, None, at(0)).await;
    assert!(matches!(slowed, Err(TrustError::TooManyAttempts { seconds: 2 })));
    assert!(trust.sign_in("anna", PASSWORD, HERE, None, at(2)).await.is_ok());
}

#[tokio::test]
async fn a_role_that_is_withdrawn_is_gone_at_once_also_for_sessions_and_tokens() {
    let (store, trust) = city_with("anna", &["dataSteward"]);
    let signed_in = trust.sign_in("anna", PASSWORD, HERE, None, at(0)).await.unwrap();
    let scopes = [Action::WriteEntities].into();
    let new = NewToken { owner: "anna".into(), label: "loop counter".into(), scopes, days: 30 };
    let (_, token) = tokens::create(&store, &command_line(), new, at(0)).unwrap();
    let both_may = |s: i64| {
        let person = trust.identify(None, Some(&signed_in.cookie), at(s)).unwrap().subject;
        let machine = trust.identify(Some(&token), None, at(s)).unwrap().subject;
        (may(&trust, &person, Action::WriteEntities), may(&trust, &machine, Action::WriteEntities))
    };
    assert_eq!(both_may(1), (true, true));
    users::set_roles(&store, &command_line(), "anna", Grants::parse(["viewer"]).unwrap(), at(2)).unwrap();
    assert_eq!(both_may(3), (false, false));
}

#[tokio::test]
async fn a_removed_account_takes_its_sessions_and_tokens_along() {
    let (store, trust) = city_with("anna", &["viewer"]);
    let signed_in = trust.sign_in("anna", PASSWORD, HERE, None, at(0)).await.unwrap();
    let scopes = [Action::ReadEntities].into();
    let new = NewToken { owner: "anna".into(), label: String::new(), scopes, days: 30 };
    let (_, token) = tokens::create(&store, &command_line(), new, at(0)).unwrap();
    users::remove(&store, &command_line(), "anna", at(1)).unwrap();
    assert_eq!(trust.identify(None, Some(&signed_in.cookie), at(2)).unwrap().subject.kind, SubjectKind::Anonymous);
    assert!(matches!(trust.identify(Some(&token), None, at(2)), Err(TrustError::TokenInvalid)));
    assert!(tokens::list(&store, None).unwrap().is_empty());
}

#[tokio::test]
async fn a_token_works_until_it_expires_or_is_revoked() {
    let (store, trust) = city_with("anna", &["administrator"]);
    let new = |days| NewToken { owner: "anna".into(), label: "x".into(), scopes: [Action::ReadEntities].into(), days };
    let (token, text) = tokens::create(&store, &command_line(), new(1), at(0)).unwrap();
    let identity = trust.identify(Some(&text), None, at(86_399)).unwrap();
    assert!(may(&trust, &identity.subject, Action::ReadEntities));
    assert!(!may(&trust, &identity.subject, Action::ManageUsers), "an administrator's token keeps to its scopes");
    assert!(trust.identify(Some(&text), None, at(86_400)).is_err());
    trust.touch(identity.touch.unwrap(), at(100)).await;
    assert_eq!(tokens::list(&store, Some("anna")).unwrap()[0].used_at, Some(at(100)));
    tokens::revoke(&store, &command_line(), token.id(), Some("anna"), at(200)).unwrap();
    assert!(trust.identify(Some(&text), None, at(201)).is_err());
    for days in [0, 367] {
        assert!(tokens::create(&store, &command_line(), new(days), at(0)).is_err());
    }
}

#[test]
fn a_token_of_somebody_else_cannot_be_revoked() {
    let (store, _) = city_with("anna", &["viewer"]);
    let new = NewToken { owner: "anna".into(), label: String::new(), scopes: [Action::ReadEntities].into(), days: 1 };
    let (token, _) = tokens::create(&store, &command_line(), new, at(0)).unwrap();
    let refused = tokens::revoke(&store, &command_line(), token.id(), Some("bert"), at(1));
    assert!(matches!(refused, Err(TrustError::Missing(_))));
}

#[test]
fn nobody_hands_out_or_takes_away_more_than_they_are() {
    let (store, _) = city_with("root", &["administrator"]);
    let mayor = Subject::of(SubjectKind::Person, "mayor", Grants::parse(["utrecht:administrator"]).unwrap());
    let new = |name: &str, roles: &[&str]| NewUser {
        name: name.into(),
        password: PASSWORD.into(),
        party: None,
        grants: Grants::parse(roles.iter().copied()).unwrap(),
        home: None,
    };
    assert!(users::add(&store, &mayor, new("cleo", &["utrecht:viewer"]), at(0)).is_ok());
    for roles in [["viewer"], ["default:viewer"], ["administrator"]] {
        assert!(
            matches!(users::add(&store, &mayor, new("dirk", &roles), at(0)), Err(TrustError::Denied(_))),
            "{roles:?}"
        );
    }
    assert!(matches!(users::remove(&store, &mayor, "root", at(0)), Err(TrustError::Denied(_))));
    assert!(matches!(users::set_password(&store, &mayor, "root", PASSWORD, at(0)), Err(TrustError::Denied(_))));
    assert!(matches!(users::add(&store, &mayor, new("cleo", &["utrecht:viewer"]), at(0)), Err(TrustError::Taken(_))));
}

#[tokio::test]
async fn every_step_is_in_the_audit_and_no_secret_is_kept_anywhere() {
    let (store, trust) = city_with("anna", &["viewer"]);
    let _ = trust.sign_in("anna", "a wrong password", HERE, None, at(1)).await;
    let _ = trust.sign_in("a password in the wrong field", "x", HERE, None, at(1)).await;
    let signed_in = trust.sign_in("anna", PASSWORD, HERE, None, at(2)).await.unwrap();
    let new = NewToken { owner: "anna".into(), label: "x".into(), scopes: [Action::ReadEntities].into(), days: 1 };
    let (token, text) = tokens::create(&store, &command_line(), new, at(3)).unwrap();
    tokens::revoke(&store, &command_line(), token.id(), None, at(4)).unwrap();
    let kept = all_that_is_kept(&store);
    for secret in [PASSWORD, "a wrong password", "wrong field", signed_in.cookie.as_str(), text.as_str()] {
        assert!(!kept.contains(secret), "{secret} is kept");
    }
    let said: Vec<String> = store
        .audit(0, 100)
        .unwrap()
        .into_iter()
        .map(|r| format!("{} {} {} {}", r.entry.subject, r.entry.action, r.entry.resource, r.entry.outcome))
        .map(|line| line.replace(token.id(), "<id>"))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @"
    command line user.add anna done
    anonymous session.sign-in anna refused
    anonymous session.sign-in an unknown account refused
    anna session.sign-in anna done
    command line token.create <id> done
    command line token.revoke <id> done
    ");
}

#[test]
fn a_token_makes_no_account_and_no_token_and_ends_none() {
    let (store, trust) = city_with("anna", &["administrator"]);
    let new = |days| NewToken {
        owner: "anna".into(),
        label: "x".into(),
        scopes: [Action::ManageUsers, Action::ManageOwnTokens].into(),
        days,
    };
    let (token, text) = tokens::create(&store, &command_line(), new(1), at(0)).unwrap();
    let machine = trust.identify(Some(&text), None, at(1)).unwrap().subject;
    let grants = Grants::parse(["administrator"]).unwrap();
    let account =
        NewUser { name: "mallory".into(), password: PASSWORD.into(), party: None, grants: grants.clone(), home: None };
    let refusals = [
        users::add(&store, &machine, account, at(1)).err(),
        users::set_roles(&store, &machine, "anna", grants, at(1)).err(),
        users::set_password(&store, &machine, "anna", "kades en bruggen 14", at(1)).err(),
        users::remove(&store, &machine, "anna", at(1)).err(),
        tokens::create(&store, &machine, new(366), at(1)).err(),
        tokens::revoke(&store, &machine, token.id(), None, at(1)).err(),
    ];
    for refused in refusals {
        let refused = refused.expect("it is refused");
        assert!(matches!(&refused, TrustError::Denied(problem) if problem.detail.contains("signed in")), "{refused}");
    }
    assert_eq!((users::list(&store).unwrap().len(), tokens::list(&store, None).unwrap().len()), (1, 1));
}

#[test]
fn a_token_is_made_for_no_more_than_its_owner_may() {
    let (store, _) = city_with("anna", &["utrecht:analyst"]);
    let new = |scope| NewToken { owner: "anna".into(), label: String::new(), scopes: [scope].into(), days: 1 };
    for (scope, fits) in [
        (Action::ManageSubscriptions, true),
        (Action::ReadEntities, true),
        (Action::WriteEntities, false),
        (Action::ManageUsers, false),
    ] {
        let made = tokens::create(&store, &command_line(), new(scope), at(0));
        assert_eq!(made.is_ok(), fits, "{scope}");
        assert!(fits || matches!(made, Err(TrustError::Problem(_))), "{scope}");
    }
}

#[test]
fn an_account_without_roles_belongs_to_the_tenant_that_made_it_and_to_no_other() {
    let (store, _) = city_with("root", &["administrator"]);
    let of = |tenant: &str| {
        let grants = Grants::parse([format!("{tenant}:administrator").as_str()]).unwrap();
        Subject::of(SubjectKind::Person, tenant, grants)
    };
    let (utrecht, delft) = (of("utrecht"), of("delft"));
    let new = |name: &str, home: Option<&str>| NewUser {
        name: name.into(),
        password: PASSWORD.into(),
        party: None,
        grants: Grants::default(),
        home: home.map(|home| Tenant::parse(home).unwrap()),
    };
    users::add(&store, &utrecht, new("cleo", Some("utrecht")), at(0)).unwrap();
    users::add(&store, &command_line(), new("dirk", None), at(0)).unwrap();
    for home in [Some("delft"), None] {
        assert!(matches!(users::add(&store, &utrecht, new("eva", home), at(0)), Err(TrustError::Denied(_))));
    }
    let seen = |by: &Subject| -> Vec<String> {
        users::list(&store).unwrap().into_iter().filter(|a| a.is_managed_by(by)).map(|a| a.name).collect()
    };
    assert_eq!((seen(&utrecht), seen(&delft)), (vec!["cleo".to_owned()], vec![]));
    assert_eq!(seen(&command_line()), ["cleo", "dirk", "root"]);
    let grants = || Grants::parse(["delft:viewer"]).unwrap();
    for name in ["cleo", "dirk"] {
        assert!(matches!(users::set_roles(&store, &delft, name, grants(), at(1)), Err(TrustError::Denied(_))));
        assert!(matches!(users::set_password(&store, &delft, name, "kades en 14", at(1)), Err(TrustError::Denied(_))));
        assert!(matches!(users::remove(&store, &delft, name, at(1)), Err(TrustError::Denied(_))));
    }
    users::remove(&store, &utrecht, "cleo", at(1)).unwrap();
}

#[tokio::test]
async fn who_asked_for_something_that_lasts_is_remembered_as_they_are_now() {
    let (store, trust) = city_with("anna", &["analyst"]);
    let new = |days| NewToken { owner: "anna".into(), label: "x".into(), scopes: [Action::ReadEntities].into(), days };
    let (token, text) = tokens::create(&store, &command_line(), new(1), at(0)).unwrap();
    let signed_in = trust.sign_in("anna", PASSWORD, HERE, None, at(0)).await.unwrap();
    let person = trust.identify(None, Some(&signed_in.cookie), at(1)).unwrap().subject;
    let machine = trust.identify(Some(&text), None, at(1)).unwrap().subject;
    let recall = |subject: &Subject, s: i64| trust.recall(&subject.name, subject.since, at(s)).unwrap();
    assert_eq!((recall(&person, 2), recall(&machine, 2)), (Some((*person).clone()), Some((*machine).clone())));
    assert_eq!(recall(&machine, 86_400), None, "the token has ended");
    users::set_roles(&store, &command_line(), "anna", Grants::default(), at(3)).unwrap();
    assert!(!may(&trust, &recall(&person, 4).unwrap(), Action::ManageSubscriptions));
    tokens::revoke(&store, &command_line(), token.id(), None, at(5)).unwrap();
    assert_eq!(recall(&machine, 6), None, "the token was revoked");
    users::remove(&store, &command_line(), "anna", at(7)).unwrap();
    assert_eq!(recall(&person, 8), None, "the account is gone");
    let grants = Grants::parse(["administrator"]).unwrap();
    let again = NewUser { name: "anna".into(), password: PASSWORD.into(), party: None, grants, home: None };
    users::add(&store, &command_line(), again, at(9)).unwrap();
    assert_eq!(recall(&person, 10), None, "somebody else who got the name is not the one who asked");
    assert_eq!(trust.recall("open", None, at(10)).unwrap(), None, "the server is no longer open");
}

#[test]
fn an_account_does_not_take_the_name_that_the_audit_gives_to_nobody() {
    let (store, _) = city_with("anna", &["viewer"]);
    for name in ["anonymous", "Open", "a", "an na", "anna;drop"] {
        let new = NewUser {
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
            party: None,
            grants: Grants::default(),
            home: None,
        };
        assert!(users::add(&store, &command_line(), new, at(0)).is_err(), "{name}");
    }
}
