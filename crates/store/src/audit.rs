//! The audit log: who did what to what and why, as a chain of hashes in which nothing can be changed unnoticed.
//!
//! The hash of a record is SHA-256 over the hash of the record before it, its sequence, its tenant and its entry as
//! JSON. The head record keeps the newest sequence and hash, so that removing the end of the chain is noticed too.

use model::{Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    Direction, KvSnapshot, Space, StoreError,
    keys::{hex, scan_prefix},
};

/// The first byte of audit keys in [`Space::Log`].
const TAG: u8 = b'a';
/// The hash before the first record.
pub(crate) const FIRST_HASH: [u8; 32] = [0; 32];

/// What somebody did, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: the account, token or machine.
    pub subject: String,
    /// What they did (`entity.update`, `session.sign-in`).
    pub action: String,
    /// To what: an entity id, an account.
    pub resource: String,
    /// What came of it (`done`, `refused`).
    pub outcome: String,
    /// Why: the rule that decided, or the purpose that was given.
    pub reason: String,
    /// More, by kind of action.
    #[serde(default)]
    pub detail: Value,
}

/// An audit entry in its place in the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its number: 1, 2, 3... without gaps.
    pub sequence: u64,
    /// Whose data it was about.
    pub tenant: Tenant,
    /// What happened.
    pub entry: AuditEntry,
    /// The hash of the record before it, hexadecimal.
    pub previous_hash: String,
    /// The hash of this record, hexadecimal.
    pub hash: String,
}

/// The stored form of a record: the entry stays the exact text that was hashed.
#[derive(Serialize, Deserialize)]
struct StoredRecord {
    tenant: Tenant,
    entry: String,
    previous_hash: String,
    hash: String,
}

pub(crate) fn key(sequence: u64) -> Vec<u8> {
    [&[TAG][..], &sequence.to_be_bytes()].concat()
}

/// An entry as the text that is hashed and stored.
pub(crate) fn encode_entry(entry: &AuditEntry) -> Result<String, StoreError> {
    sonic_rs::to_string(entry)
        .map_err(|e| StoreError::Unstorable { thing: "an audit entry".to_owned(), detail: e.to_string() })
}

fn chain_hash(previous: &[u8; 32], sequence: u64, tenant: &Tenant, entry: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(sequence.to_be_bytes());
    hasher.update([u8::try_from(tenant.as_str().len()).unwrap_or(u8::MAX)]);
    hasher.update(tenant.as_str());
    hasher.update(entry);
    hasher.finalize().into()
}

/// The next link: its hash and its stored form.
pub(crate) fn link(
    previous: &[u8; 32],
    sequence: u64,
    tenant: &Tenant,
    entry: String,
) -> Result<([u8; 32], Vec<u8>), StoreError> {
    let hash = chain_hash(previous, sequence, tenant, &entry);
    let record = StoredRecord { tenant: tenant.clone(), entry, previous_hash: hex(previous), hash: hex(&hash) };
    let bytes = sonic_rs::to_vec(&record)
        .map_err(|e| StoreError::Unstorable { thing: "an audit record".to_owned(), detail: e.to_string() })?;
    Ok((hash, bytes))
}

/// The name of a record in messages.
fn thing(sequence: u64) -> String {
    format!("audit record {sequence}")
}

fn decode(sequence: u64, value: &[u8]) -> Result<(StoredRecord, AuditEntry), StoreError> {
    let corrupt = |e: sonic_rs::Error| StoreError::corrupt(thing(sequence), e.to_string());
    let stored: StoredRecord = sonic_rs::from_slice(value).map_err(corrupt)?;
    let entry = sonic_rs::from_str(&stored.entry).map_err(corrupt)?;
    Ok((stored, entry))
}

/// Records after a sequence, oldest first.
pub(crate) fn read(snapshot: &dyn KvSnapshot, after: u64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
    let found = scan_prefix(snapshot, Space::Log, &[TAG], Some(&after.to_be_bytes()), Direction::Forward).take(limit);
    found
        .map(|item| {
            let (key, value) = item?;
            let sequence = sequence_of(&key)?;
            let (stored, entry) = decode(sequence, &value)?;
            let StoredRecord { tenant, previous_hash, hash, .. } = stored;
            Ok(AuditRecord { sequence, tenant, entry, previous_hash, hash })
        })
        .collect()
}

fn sequence_of(key: &[u8]) -> Result<u64, StoreError> {
    key.get(1..)
        .and_then(|rest| <[u8; 8]>::try_from(rest).ok())
        .map(u64::from_be_bytes)
        .ok_or_else(|| StoreError::corrupt("the audit log", "a key has the wrong length"))
}

/// Follows the whole chain. Returns the number of links and what is wrong with each broken one.
pub(crate) fn verify(
    snapshot: &dyn KvSnapshot,
    head_sequence: u64,
    head_hash: &[u8; 32],
) -> Result<(u64, Vec<StoreError>), StoreError> {
    let (mut previous, mut expected, mut problems) = (FIRST_HASH, 1, vec![]);
    for item in scan_prefix(snapshot, Space::Log, &[TAG], None, Direction::Forward) {
        let (key, value) = item?;
        let sequence = sequence_of(&key)?;
        if sequence != expected {
            problems.push(StoreError::corrupt(thing(expected), format!("it is missing, number {sequence} follows")));
        }
        expected = sequence + 1;
        match decode(sequence, &value) {
            Err(problem) => problems.push(problem),
            Ok((stored, _)) => {
                let hash = chain_hash(&previous, sequence, &stored.tenant, &stored.entry);
                if stored.hash != hex(&hash) || stored.previous_hash != hex(&previous) {
                    let detail = "its hash does not follow from its content and the record before it";
                    problems.push(StoreError::corrupt(thing(sequence), detail));
                }
                previous = hash;
            }
        }
    }
    if (expected - 1, &previous) != (head_sequence, head_hash) {
        let detail = format!("it ends at record {}, the head names record {head_sequence}", expected - 1);
        problems.push(StoreError::corrupt("the audit log", detail));
    }
    Ok((expected - 1, problems))
}
