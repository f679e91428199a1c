//! The history of one transaction, encoded where the transaction was made.
//!
//! Numbers of series, labels and values are worked out on the caller's thread; the one writer only adds what is ready
//! under the sequence that it gives out.

use model::{Observation, Tenant};
use segments::{BatchWriter, Label, Stretch, cell_of, label_of};

use super::{HistoryDeletion, HistoryState, keys, series::NewEntries};
use crate::{
    StoreError,
    kv::{Batch, Space},
};

/// What a transaction adds to history: new entries of the dictionary, and a hot batch that waits for its sequence.
#[derive(Debug, Default)]
pub struct HistoryWrites {
    entries: Batch,
    new: NewEntries,
    hot: Vec<u8>,
    rows: u64,
}

/// What a group of transactions added to history, to be told once the group is stored.
#[derive(Debug, Default)]
pub struct HistoryAdded {
    new: NewEntries,
    rows: u64,
}

impl HistoryWrites {
    /// About how many bytes will be written.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.entries.size_bytes() + self.hot.len()
    }
}

impl HistoryAdded {
    /// Adds what was encoded to the batch of a transaction that has this sequence.
    pub fn add(&mut self, writes: HistoryWrites, tenant: &Tenant, sequence: u64, batch: &mut Batch) {
        let HistoryWrites { mut entries, mut new, hot, rows } = writes;
        if hot.is_empty() {
            return;
        }
        batch.writes.append(&mut entries.writes);
        batch.put(Space::History, keys::sequenced(keys::HOT, tenant, sequence), hot);
        self.new.append(&mut new);
        self.rows += rows;
    }
}

impl HistoryState {
    /// Encodes the observations and deletions of one transaction. Deletions come first: what the same transaction
    /// observes is kept. Of several observations of one series and moment, the last one counts.
    ///
    /// # Errors
    /// When a value cannot be stored (a number that is not finite, names of many kilobytes), or the engine fails.
    pub fn encode(
        &self,
        tenant: &Tenant,
        observations: &[Observation],
        deletions: &[HistoryDeletion],
    ) -> Result<HistoryWrites, StoreError> {
        if observations.is_empty() && deletions.is_empty() {
            return Ok(HistoryWrites::default());
        }
        let mut hot = BatchWriter::default();
        let mut numbering = self.shared.dictionary.numbering(&*self.shared.kv, tenant);
        for HistoryDeletion { series, from, to } in deletions {
            let series = numbering.number(series)?;
            let (from, to) = (from.map_or(i64::MIN, |at| at.micros()), to.map_or(i64::MAX, |at| at.micros()));
            hot.delete(Stretch { series, from, to });
        }
        let mut label: Option<(&Observation, Label)> = None;
        for observation in observations {
            let series = numbering.number(&observation.series)?;
            let cell = cell_of(&observation.value).map_err(|detail| unstorable(observation, detail))?;
            let label = match &mut label {
                Some((like, label))
                    if like.unit_code == observation.unit_code && like.quality == observation.quality =>
                {
                    label
                }
                other => {
                    let new = label_of(observation.unit_code.as_deref(), &observation.quality);
                    &mut other.insert((observation, new)).1
                }
            };
            hot.row(series, observation.at.micros(), observation.recorded_at.micros(), &cell, label);
        }
        let (entries, new) = (numbering.entries, numbering.new);
        Ok(HistoryWrites { entries, new, hot: hot.finish(), rows: observations.len() as u64 })
    }

    /// Takes note that a group is stored, and waits for a while when flushing does not keep pace: whoever writes next
    /// is held up, and nobody whose write is stored.
    pub fn stored(&self, added: HistoryAdded) {
        self.shared.dictionary.stored(added.new);
        if added.rows > 0 {
            self.shared.note_hot(added.rows);
        }
    }
}

fn unstorable(observation: &Observation, detail: String) -> StoreError {
    let (entity, attribute) = (observation.series.entity.as_str(), observation.series.attribute.as_str());
    StoreError::Unstorable { thing: format!("an observation of {attribute} of {entity}"), detail }
}
