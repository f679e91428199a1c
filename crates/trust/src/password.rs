//! Passwords: what is accepted, and how it is stored (argon2id).

use std::sync::LazyLock;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use model::Problem;

use crate::TrustError;

/// The shortest password, characters (NIST SP 800-63B asks 8, and 15 without a second factor; BIO asks 12).
const CHARS_MIN: usize = 12;
/// The longest password, bytes; longer ones would only cost time.
const BYTES_MAX: usize = 512;
/// The parameters that OWASP's Password Storage Cheat Sheet names first: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Passwords of 12 characters and more that attackers try first, and the stems that people build them from.
const COMMON: &[&str] = &[
    "password",
    "wachtwoord",
    "welkom",
    "welcome",
    "qwerty",
    "azerty",
    "123456",
    "234567",
    "letmein",
    "iloveyou",
    "administrator",
    "admin",
    "changeme",
    "geheim",
    "secret",
    "monkey",
    "dragon",
    "football",
    "voetbal",
    "feyenoord",
    "rotterdam",
    "amsterdam",
    "utrecht",
    "nederland",
    "gemeente",
    "polder",
    "zomer",
    "winter",
    "lente",
    "herfst",
    "summer",
    "spring",
    "autumn",
    "master",
    "login",
    "correcthorsebatterystaple",
];

/// Checks a new password: long enough, not the account's name, and more than a common word with a few signs added.
///
/// # Errors
/// Says which rule it breaks. The password itself is never repeated.
pub fn check_new(password: &str, name: &str) -> Result<(), Problem> {
    let refuse = |detail: &str, remedy: &str| Err(Problem::new("password", detail, remedy));
    if password.chars().count() < CHARS_MIN {
        return refuse("it is shorter than 12 characters", "use at least 12 characters; a few words are fine");
    }
    if password.len() > BYTES_MAX {
        return refuse("it is longer than 512 bytes", "use a shorter one");
    }
    let lower = password.to_lowercase();
    let name = name.to_lowercase();
    let mut left = lower.clone();
    for word in COMMON.iter().copied().chain((name.len() >= 3).then_some(name.as_str())) {
        left = left.replace(word, "");
    }
    let mut letters: Vec<char> = left.chars().filter(|c| c.is_alphabetic()).collect();
    letters.sort_unstable();
    letters.dedup();
    let mut signs: Vec<char> = left.chars().collect();
    signs.sort_unstable();
    signs.dedup();
    // What remains without the common words must still be hard to guess.
    if signs.len() < 5 || (left.len() < lower.len() && letters.len() < 4) {
        return refuse("it is too easy to guess", "use words or signs that are not common and not the account's name");
    }
    Ok(())
}

/// The stored form of a password (a PHC string with its own salt). Takes tens of milliseconds of CPU.
///
/// # Errors
/// Not enough memory, or no random bytes for the salt.
pub fn hash(password: &str) -> Result<String, TrustError> {
    let hashed = hasher()?.hash_password(password.as_bytes()).map_err(|e| TrustError::Hashing(e.to_string()))?;
    Ok(hashed.to_string())
}

/// Whether a password belongs to a stored form. Without a stored form it does the same work and says no, so that the
/// time of the answer does not tell whether an account exists.
///
/// # Errors
/// The stored form is damaged.
pub fn verify(password: &str, stored: Option<&str>) -> Result<bool, TrustError> {
    // A hash of a secret that nobody knows; made once.
    static NOBODY: LazyLock<Option<String>> =
        LazyLock::new(|| crate::secret::new_secret().ok().and_then(|secret| hash(&secret).ok()));
    let Some(phc) = stored.or(NOBODY.as_deref()) else { return Ok(false) };
    if password.len() > BYTES_MAX {
        return Ok(false);
    }
    let parsed = PasswordHash::new(phc).map_err(|e| TrustError::Hashing(e.to_string()))?;
    let fits = hasher()?.verify_password(password.as_bytes(), &parsed).is_ok();
    Ok(fits && stored.is_some())
}

fn hasher() -> Result<Argon2<'static>, TrustError> {
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| TrustError::Hashing(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_only_its_own_hash() {
        let stored = hash("tram 8 naar Spangen").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("tram 8 naar Spangen", Some(&stored)).unwrap());
        assert!(!verify("tram 8 naar spangen", Some(&stored)).unwrap());
        assert!(!verify("tram 8 naar Spangen", None).unwrap());
    }

    #[test]
    fn short_common_and_repeated_passwords_are_refused_without_being_repeated() {
        for password in [
            "kort",
            "Wachtwoord123!",
            "aaaaaaaaaaaaaaaa",
            "rotterdam2026",
            "Welkom01Welkom01",
            "123456123456",
            "annadebie123456",
        ] {
            let problem = check_new(password, "annadebie").unwrap_err();
            assert!(!problem.to_string().contains(password), "{problem}");
        }
        assert!(check_new(&"x1y2z3".repeat(200), "anna").is_err());
    }

    #[test]
    fn a_few_words_are_a_good_password() {
        for password in ["tram 8 naar Spangen", "Zomer op de Maasvlakte", "k9#vT2!pLq7w"] {
            assert_eq!(check_new(password, "anna"), Ok(()), "{password}");
        }
    }
}
