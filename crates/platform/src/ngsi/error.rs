//! The errors of the NGSI-LD API, by the names the standard gives them (ETSI GS CIM 009, 5.5.2 and 6.3.2).

use std::fmt;

use model::Problem;

/// Which of the standard's error types it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The entity, subscription or context exists already.
    AlreadyExists,
    /// The content is JSON but does not say what the operation needs.
    BadRequestData,
    /// Somebody else kept changing the same thing; the request may be sent again.
    Conflict,
    /// Something failed inside the platform.
    InternalError,
    /// The request itself is malformed (not JSON, not a valid parameter).
    InvalidRequest,
    /// A remote `@context` could not be had.
    LdContextNotAvailable,
    /// The tenant is not known.
    NonexistentTenant,
    /// The operation is not offered.
    OperationNotSupported,
    /// The thing asked for is not there.
    ResourceNotFound,
    /// The query would take more than the platform spends on one request.
    TooComplexQuery,
    /// The answer would be larger than the platform gives at once.
    TooManyResults,
}

impl ErrorKind {
    /// The URI of the error type.
    #[must_use]
    pub fn uri(self) -> String {
        format!("https://uri.etsi.org/ngsi-ld/errors/{self:?}")
    }

    /// What happened, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::AlreadyExists => "It exists already",
            Self::BadRequestData => "The request data are not valid",
            Self::Conflict => "It was changed by somebody else at the same moment",
            Self::InternalError => "The platform failed",
            Self::InvalidRequest => "The request is malformed",
            Self::LdContextNotAvailable => "The @context cannot be had",
            Self::NonexistentTenant => "The tenant does not exist",
            Self::OperationNotSupported => "The operation is not supported",
            Self::ResourceNotFound => "It was not found",
            Self::TooComplexQuery => "The query is too complex",
            Self::TooManyResults => "The query has too many results",
        }
    }

    /// The HTTP status the standard gives it (6.3.2).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequestData | Self::InvalidRequest => 400,
            Self::TooComplexQuery | Self::TooManyResults => 403,
            Self::NonexistentTenant | Self::ResourceNotFound => 404,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::OperationNotSupported => 422,
            Self::InternalError => 500,
            Self::LdContextNotAvailable => 503,
        }
    }
}

/// An error of an NGSI-LD operation: its type, and for a person what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NgsiError {
    /// The type.
    pub kind: ErrorKind,
    /// What is wrong with which thing, and the remedy.
    pub detail: String,
}

impl NgsiError {
    /// An error of a type.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: within_bounds(detail.into()) }
    }

    /// Content that does not say what the operation needs.
    pub fn bad_data(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequestData, detail)
    }

    /// A thing that is not there.
    pub fn not_found(thing: impl fmt::Display) -> Self {
        Self::new(ErrorKind::ResourceNotFound, format!("{thing} was not found"))
    }
}

impl fmt::Display for NgsiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.title(), self.detail)
    }
}

impl std::error::Error for NgsiError {}

impl From<Problem> for NgsiError {
    fn from(problem: Problem) -> Self {
        Self::bad_data(problem.to_string())
    }
}

impl From<store::StoreError> for NgsiError {
    fn from(error: store::StoreError) -> Self {
        match error {
            store::StoreError::Unstorable { .. } => {
                Self::bad_data(format!("{error}; use shorter names and identifiers, or values that JSON can hold"))
            }
            _ => Self::new(ErrorKind::InternalError, error.to_string()),
        }
    }
}

/// The most bytes of a detail: a message for a person never repeats a whole body.
const DETAIL_BYTES_MAX: usize = 2_000;

/// A detail that quotes what was sent, cut off where it would be longer than a person reads.
fn within_bounds(mut detail: String) -> String {
    if detail.len() > DETAIL_BYTES_MAX {
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        detail.push('…');
    }
    detail
}
