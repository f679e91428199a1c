//! What can go wrong in the store, in words that name the thing and the remedy.

use std::{io, path::Path};

/// A failure of the store: of the disk, of the stored bytes, or of the way it is asked.
///
/// It can be cloned, because one failed group commit answers many writers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the directory open.
    #[error(
        "the data directory {directory} is in use by another Polder process{holder}; stop that process, or give this one its own directory with --data"
    )]
    Locked {
        /// The directory.
        directory: String,
        /// The process that holds it, where known (` (process 42)`), or empty.
        holder: String,
    },
    /// The directory cannot be written.
    #[error(
        "the data directory {directory} cannot be written ({detail}); give the user that runs Polder write access, or choose another directory with --data"
    )]
    ReadOnly {
        /// The directory.
        directory: String,
        /// What the operating system said.
        detail: String,
    },
    /// There is no space left on the disk. Nothing of the refused write was stored.
    #[error(
        "the disk of {directory} is full ({free_mb} MB free, Polder keeps {reserve_mb} MB in reserve); make space, then writes work again"
    )]
    DiskFull {
        /// The directory.
        directory: String,
        /// What is free, megabytes.
        free_mb: u64,
        /// What is kept in reserve, megabytes.
        reserve_mb: u64,
    },
    /// Something else is wrong with a file or directory.
    #[error("{thing}: {detail}; {remedy}")]
    Io {
        /// The file or directory.
        thing: String,
        /// What the operating system said.
        detail: String,
        /// What to do.
        remedy: String,
    },
    /// Stored bytes are not what was written.
    #[error("{thing} is damaged: {detail}; run `polder check` and restore this record from a backup or its source")]
    Corrupt {
        /// The record.
        thing: String,
        /// What is wrong.
        detail: String,
    },
    /// A value cannot be written in the stored form.
    #[error("{thing} cannot be stored: {detail}")]
    Unstorable {
        /// The value.
        thing: String,
        /// Why not.
        detail: String,
    },
    /// A reader asked for changes that are no longer kept.
    #[error(
        "the changes after {after} are no longer kept (the oldest kept is {oldest}); read the current state and continue from there"
    )]
    ChangesTrimmed {
        /// The sequence asked for.
        after: u64,
        /// The oldest sequence still kept.
        oldest: u64,
    },
    /// The database engine failed.
    #[error("the database engine failed: {detail}; the server must be restarted before it accepts writes again")]
    Engine {
        /// What the engine said.
        detail: String,
    },
    /// The data directory was written by a newer or unknown Polder.
    #[error(
        "the data directory {directory} has storage format {found}, this Polder reads format {known}; use the Polder version that wrote it"
    )]
    Format {
        /// The directory.
        directory: String,
        /// The format found.
        found: u32,
        /// The format this build reads.
        known: u32,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// A damaged record.
    pub fn corrupt(thing: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Corrupt { thing: thing.into(), detail: detail.into() }
    }

    /// A failed operation on a file or directory; a directory that cannot be written becomes [`StoreError::ReadOnly`].
    #[must_use]
    pub fn io(path: &Path, error: &io::Error) -> Self {
        let thing = path.display().to_string();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { directory: thing, detail: error.to_string() }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { directory: thing, free_mb: 0, reserve_mb: 0 }
            }
            _ => Self::Io { thing, detail: error.to_string(), remedy: "check the disk and the path".to_owned() },
        }
    }
}

/// Why a transaction was not committed. Nothing of it was stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// Something that the transaction builds on was changed by somebody else in the meantime.
    #[error("{key} was changed by another write; read it again and repeat")]
    Conflict {
        /// The entity or document.
        key: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many writes wait already.
    #[error("too many writes are waiting; try again in a moment")]
    Full,
}
