//! The head record: where the store's sequence, audit chain and change log stand. Every commit rewrites it, so that
//! each snapshot knows its own sequence, and a second writer on one engine is refused.

use crate::{
    KvSnapshot, Space, StoreError,
    audit::FIRST_HASH,
    document::{open_record, seal_record, stamp},
    kv::version_of,
};

/// The key of the head record in [`Space::Meta`].
pub(crate) const KEY: &[u8] = b"head";
/// The layout of keys and values that this build reads and writes.
pub(crate) const FORMAT: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The newest sequence given out: the version of this record.
    pub sequence: u64,
    /// The number and the hash of the newest audit record.
    pub audit_sequence: u64,
    pub audit_hash: [u8; 32],
    /// Changes up to this sequence are no longer in the log.
    pub log_trimmed_until: u64,
    /// The layout on disk.
    pub format: u32,
}

impl Head {
    /// Before the first commit.
    pub const START: Self =
        Self { sequence: 0, audit_sequence: 0, audit_hash: FIRST_HASH, log_trimmed_until: 0, format: FORMAT };

    pub fn encode(&self) -> Vec<u8> {
        let numbers = [self.audit_sequence.to_be_bytes(), self.log_trimmed_until.to_be_bytes()].concat();
        let mut sealed = seal_record(&[&self.format.to_be_bytes()[..], &numbers, &self.audit_hash].concat());
        stamp(&mut sealed, self.sequence);
        sealed
    }

    /// The head in a snapshot.
    pub fn read(snapshot: &dyn KvSnapshot) -> Result<Self, StoreError> {
        match snapshot.get(Space::Meta, KEY)? {
            Some(value) => Self::decode(&value),
            None => Ok(Self::START),
        }
    }

    fn decode(value: &[u8]) -> Result<Self, StoreError> {
        let damaged = || StoreError::corrupt("the head record", "it is too short");
        let sequence = version_of(value).ok_or_else(damaged)?;
        let content = open_record("the head record", value, sequence)?;
        let (format, rest) = content.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (audit_sequence, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (log_trimmed_until, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        Ok(Self {
            sequence,
            audit_sequence: u64::from_be_bytes(*audit_sequence),
            audit_hash: rest.first_chunk().copied().ok_or_else(damaged)?,
            log_trimmed_until: u64::from_be_bytes(*log_trimmed_until),
            format: u32::from_be_bytes(*format),
        })
    }
}
