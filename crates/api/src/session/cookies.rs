//! The cookies of the door: how they are named, sent and taken back.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::{AppState, guard::cookie};

/// A cookie that the door sets. Scripts never see any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Somebody is signed in.
    Session,
    /// The proof that a sign-in comes from our own page.
    Csrf,
    /// This browser left for an identity provider.
    Departure,
}

impl Cookie {
    /// Behind TLS the name begins with `__Host-`: browsers then accept it only from this host, and only over TLS.
    pub fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-polder_session",
            (Self::Session, false) => "polder_session",
            (Self::Csrf, true) => "__Host-polder_csrf",
            (Self::Csrf, false) => "polder_csrf",
            (Self::Departure, true) => "__Host-polder_departure",
            (Self::Departure, false) => "polder_departure",
        }
    }

    /// How long the browser keeps it, seconds; the server decides for itself when it ends.
    fn age_s_max(self) -> u32 {
        match self {
            Self::Session => 12 * 3_600,
            Self::Csrf => 24 * 3_600,
            Self::Departure => 600,
        }
    }

    /// Its value in a request.
    pub fn read(self, headers: &HeaderMap, state: &AppState) -> Option<String> {
        cookie(headers, self.name(state.door.secure())).map(str::to_owned)
    }

    /// Sets it in an answer.
    pub fn set(self, headers: &mut HeaderMap, value: &str, state: &AppState) {
        self.put(headers, value, self.age_s_max(), state.door.secure());
    }

    /// Takes it back.
    pub fn clear(self, headers: &mut HeaderMap, state: &AppState) {
        self.put(headers, "", 0, state.door.secure());
    }

    fn put(self, headers: &mut HeaderMap, value: &str, age_s: u32, secure: bool) {
        let tls = if secure { "; Secure" } else { "" };
        let line = format!("{}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Lax{tls}", self.name(secure));
        if let Ok(mut line) = HeaderValue::from_str(&line) {
            line.set_sensitive(true);
            headers.append(header::SET_COOKIE, line);
        }
    }
}
