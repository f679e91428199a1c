//! Events and their plans in the store. Two people work on one event at once: each part has its own version.

use model::{Problem, Tenant, Timestamp};
use serde_json::Value;
use store::{CommitError, DocumentSelect, Expect, Snapshot, Store, Stored, Transaction};

use crate::{
    Body, ControlError, Event, EventFacts, Part, RunKind, RunRecord, checked_key, event::slug, parts::part_key,
};

/// The most events of a tenant that are kept.
const EVENTS_MAX: usize = 10_000;
/// The most parts of one plan.
pub(crate) const PARTS_MAX: usize = 1_000;
/// How many times the end of a run is written while others change its event.
const ENDS_MAX: usize = 20;
/// How many ids are tried for events of the same name.
const IDS_MAX: u32 = 1_000;

/// An event with its plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The event.
    pub event: Stored<Event>,
    /// Its parts, by kind and key.
    pub parts: Vec<Stored<Part>>,
}

/// Every event of a tenant, by id.
///
/// # Errors
/// The store fails.
pub fn list(snapshot: &Snapshot, tenant: &Tenant) -> Result<Vec<Stored<Event>>, ControlError> {
    Ok(snapshot.documents(tenant, &DocumentSelect::All, None, EVENTS_MAX)?)
}

/// An event.
///
/// # Errors
/// There is none, or the store fails.
pub fn event(snapshot: &Snapshot, tenant: &Tenant, id: &str) -> Result<Stored<Event>, ControlError> {
    snapshot.document(tenant, id)?.ok_or_else(|| ControlError::Missing(format!("event \"{}\"", shown(id))))
}

/// An event with its plan.
///
/// # Errors
/// There is none, or the store fails.
pub fn plan(snapshot: &Snapshot, tenant: &Tenant, id: &str) -> Result<Plan, ControlError> {
    let event = event(snapshot, tenant, id)?;
    let parts = snapshot.documents(tenant, &DocumentSelect::Prefix(format!("{id}/")), None, PARTS_MAX)?;
    Ok(Plan { event, parts })
}

/// Makes an event.
///
/// # Errors
/// Facts that cannot be, too many events, or the store fails.
pub async fn make(
    store: &Store,
    tenant: &Tenant,
    facts: EventFacts,
    by: &str,
    now: Timestamp,
) -> Result<Stored<Event>, ControlError> {
    let facts = facts.checked()?;
    if store.snapshot()?.documents::<Event>(tenant, &DocumentSelect::All, None, EVENTS_MAX)?.len() >= EVENTS_MAX {
        let problem = Problem::new("events", "there are 10,000 events", "remove events that are long over");
        return Err(ControlError::Conflict(problem));
    }
    let base = slug(&facts.name);
    for count in 1..=IDS_MAX {
        let id = if count == 1 { base.clone() } else { format!("{base}-{count}") };
        let made_by = by.to_owned();
        let event = Event { id, facts: facts.clone(), run: None, runs: 0, over: false, made_by, made_at: now };
        let mut tx = Transaction::new(tenant.clone());
        tx.put_document(&event, Expect::Absent)?;
        match store.commit(tx).await {
            Ok(committed) => return Ok(Stored { version: committed.sequence, value: event }),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ControlError::Conflict(Problem::new("name", "a thousand events have this name", "choose another name")))
}

/// Puts a whole event, with its parts (kind, key and body), into a transaction. It must not exist yet.
///
/// # Errors
/// Facts, an id or a part that cannot be; the part is named.
pub fn add_whole(
    tx: &mut Transaction,
    id: &str,
    facts: EventFacts,
    parts: Vec<(String, String, Value)>,
    (by, now): (&str, Timestamp),
) -> Result<(), ControlError> {
    let id = checked_key(id)?.to_owned();
    let (facts, made_by) = (facts.checked()?, by.to_owned());
    for (kind, key, body) in parts {
        let named = |problem: Problem| Problem { thing: format!("{kind} {key}: {}", problem.thing), ..problem };
        let body = Body::read(&kind, body).map_err(named)?;
        let key = checked_key(&key).map_err(named)?.to_owned();
        let part = Part { event: id.clone(), key, body, changed_by: by.to_owned(), changed_at: now };
        tx.put_document(&part, Expect::Absent)?;
    }
    let event = Event { id, facts, run: None, runs: 0, over: false, made_by, made_at: now };
    tx.put_document(&event, Expect::Absent)?;
    Ok(())
}

/// Changes what was said of an event.
///
/// # Errors
/// Facts that cannot be, somebody changed it since `version`, or the store fails.
pub async fn change(
    store: &Store,
    tenant: &Tenant,
    id: &str,
    version: u64,
    facts: EventFacts,
) -> Result<Stored<Event>, ControlError> {
    let facts = facts.checked()?;
    let mut stored = event(&store.snapshot()?, tenant, id)?;
    stored.value.facts = facts;
    put_event(store, tenant, stored.value, version).await
}

/// Writes an event over the version that it was read as.
pub(crate) async fn put_event(
    store: &Store,
    tenant: &Tenant,
    event: Event,
    version: u64,
) -> Result<Stored<Event>, ControlError> {
    let mut tx = Transaction::new(tenant.clone());
    tx.put_document(&event, Expect::Version(version))?;
    match store.commit(tx).await {
        Ok(committed) => Ok(Stored { version: committed.sequence, value: event }),
        Err(CommitError::Conflict { .. }) => Err(ControlError::Conflict(Problem::new(
            "version",
            "somebody else changed this event since you read it",
            "read it again and repeat the change",
        ))),
        Err(error) => Err(error.into()),
    }
}

/// Writes the end of a run and frees its event, with what `more` adds, in one transaction: an event never names a run that
/// is over. Somebody may change the event at the same moment, so it is tried again.
pub(crate) async fn end(
    store: &Store,
    tenant: &Tenant,
    run: &RunRecord,
    more: impl Fn(&mut Transaction) -> Result<(), ControlError>,
) -> Result<(), ControlError> {
    for _ in 0..ENDS_MAX {
        let mut tx = Transaction::new(tenant.clone());
        more(&mut tx)?;
        tx.put_document(run, Expect::Any)?;
        let event = store.snapshot()?.document::<Event>(tenant, &run.event)?;
        if let Some(event) = event.filter(|event| event.run.as_ref() == Some(&run.id)) {
            let version = Expect::Version(event.version);
            tx.put_document(&free(event.value, run.kind == RunKind::Live), version)?;
        }
        match store.commit(tx).await {
            Err(CommitError::Conflict { .. }) => {}
            done => return Ok(done.map(|_| ())?),
        }
    }
    Err(ControlError::Broken("what it writes is changed all the time by others".to_owned()))
}

/// Frees an event that names a run which is over or gone.
pub(crate) async fn release(
    store: &Store,
    tenant: &Tenant,
    event: Stored<Event>,
    was_live: bool,
) -> Result<(), ControlError> {
    put_event(store, tenant, free(event.value, was_live), event.version).await.map(|_| ())
}

/// An event without a run; the end of a live one ends the event.
fn free(event: Event, was_live: bool) -> Event {
    Event { run: None, over: event.over || was_live, ..event }
}

/// Removes an event with its plan. What its runs recorded goes with it.
///
/// # Errors
/// A run is going on, somebody changed it since `version`, or the store fails.
pub async fn remove(store: &Store, tenant: &Tenant, id: &str, version: u64) -> Result<(), ControlError> {
    let plan = plan(&store.snapshot()?, tenant, id)?;
    if let Some(run) = &plan.event.run {
        let problem = Problem::new("event", format!("run {run} of this event is going on"), "stop the run first");
        return Err(ControlError::Conflict(problem));
    }
    let mut tx = Transaction::new(tenant.clone());
    tx.delete_document::<Event>(id, Expect::Version(version));
    for part in &plan.parts {
        tx.delete_document::<Part>(&part_key(id, part.body.kind(), &part.key), Expect::Any);
    }
    crate::record::forget(&store.snapshot()?, tenant, id, &mut tx)?;
    store.commit(tx).await?;
    Ok(())
}

/// Writes a part over the version that it was read as; `None` makes it.
///
/// # Errors
/// A part that cannot be, somebody changed it since `version`, too many parts, or the store fails.
pub async fn put_part(
    store: &Store,
    tenant: &Tenant,
    (event_id, kind, key): (&str, &str, &str),
    (version, body): (Option<u64>, Value),
    (by, now): (&str, Timestamp),
) -> Result<Stored<Part>, ControlError> {
    let key = checked_key(key)?.to_owned();
    let body = Body::read(kind, body)?;
    let plan = plan(&store.snapshot()?, tenant, event_id)?;
    if version.is_none() && plan.parts.len() >= PARTS_MAX {
        let problem = Problem::new("parts", "a plan has at most 1,000 parts", "remove parts that are not needed");
        return Err(ControlError::Conflict(problem));
    }
    let part = Part { event: event_id.to_owned(), key, body, changed_by: by.to_owned(), changed_at: now };
    let mut tx = Transaction::new(tenant.clone());
    tx.put_document(&part, version.map_or(Expect::Absent, Expect::Version))?;
    match store.commit(tx).await {
        Ok(committed) => Ok(Stored { version: committed.sequence, value: part }),
        Err(CommitError::Conflict { .. }) => Err(changed(store, tenant, &part_key(event_id, kind, &part.key))?),
        Err(error) => Err(error.into()),
    }
}

/// Removes a part that was read as a version.
///
/// # Errors
/// There is none, somebody changed it since, or the store fails.
pub async fn remove_part(
    store: &Store,
    tenant: &Tenant,
    (event_id, kind, key): (&str, &str, &str),
    version: u64,
) -> Result<(), ControlError> {
    let document = part_key(event_id, kind, key);
    if store.snapshot()?.document::<Part>(tenant, &document)?.is_none() {
        return Err(ControlError::Missing(format!("{} \"{}\" in this plan", shown(kind), shown(key))));
    }
    let mut tx = Transaction::new(tenant.clone());
    tx.delete_document::<Part>(&document, Expect::Version(version));
    match store.commit(tx).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict { .. }) => Err(changed(store, tenant, &document)?),
        Err(error) => Err(error.into()),
    }
}

/// The refusal that shows the part as it is now.
fn changed(store: &Store, tenant: &Tenant, document: &str) -> Result<ControlError, ControlError> {
    let current = store.snapshot()?.document::<Part>(tenant, document)?;
    Ok(ControlError::Changed(current.map(|stored| Box::new(stored.into()))))
}

/// What a caller typed, short enough to repeat.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
