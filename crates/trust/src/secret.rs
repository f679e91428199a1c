//! Secrets that cannot be guessed, and what is stored instead of them.
//!
//! This is the one place that asks the operating system for random bytes: a secret is not a seed, and nobody may
//! choose it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};

use crate::TrustError;

/// How many characters a secret has.
pub const SECRET_CHARS: usize = 43;
/// The bits of every secret, in bytes.
const SECRET_BYTES: usize = 32;

/// A new secret of 256 random bits, as 43 characters that fit in a header, a cookie or a URL.
///
/// # Errors
/// The operating system has no random bytes to give.
pub fn new_secret() -> Result<String, TrustError> {
    let mut bytes = [0; SECRET_BYTES];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| TrustError::NoRandomness(error.to_string()))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a secret: SHA-256, hexadecimal. Enough for 256 random bits; passwords go through `password`.
pub(crate) fn fingerprint(secret: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(secret.as_bytes()).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_eq!(one.len(), SECRET_CHARS);
        assert_ne!(one, other);
    }

    #[test]
    fn a_fingerprint_is_sha_256() {
        assert_eq!(fingerprint("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
