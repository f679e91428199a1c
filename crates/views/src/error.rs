//! What can go wrong while a picture is made.

use model::Problem;
use store::StoreError;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The question is wrong: it names the part, what is wrong with it and the remedy.
    #[error(transparent)]
    Question(#[from] Problem),
    /// There is no such layer, thing or file (for this reader).
    #[error("there is no {0}")]
    Missing(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The base map failed.
    #[error("the base map cannot be read: {0}")]
    Basemap(#[from] pmtiles::PmtError),
}
