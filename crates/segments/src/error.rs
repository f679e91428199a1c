//! What can go wrong with a segment, in words that name the file.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A failure to read or write a segment.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SegmentError {
    /// Stored bytes are not what was written.
    #[error("{thing} is damaged: {detail}")]
    Damaged {
        /// The file, or the observation in it.
        thing: String,
        /// What is wrong.
        detail: String,
    },
    /// Rows cannot be written in the form of a segment.
    #[error("{thing} cannot be written: {detail}")]
    Unwritable {
        /// What was to be written.
        thing: String,
        /// Why not.
        detail: String,
    },
    /// The operating system refused something.
    #[error("{path}: {detail}", path = path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The kind of refusal.
        kind: io::ErrorKind,
        /// What the operating system said.
        detail: String,
    },
    /// The object store failed.
    #[error("{thing}: {detail}")]
    Objects {
        /// The file.
        thing: String,
        /// What the object store said.
        detail: String,
    },
    /// Segments are no longer available, because their store was closed.
    #[error("the store of segments is closed")]
    Closed,
}

impl SegmentError {
    pub(crate) fn damaged(thing: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Damaged { thing: thing.into(), detail: detail.into() }
    }

    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Self::File { path: path.to_path_buf(), kind: error.kind(), detail: error.to_string() }
    }
}
