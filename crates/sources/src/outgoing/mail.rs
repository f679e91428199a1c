//! Letters by SMTP: encrypted, or not sent.

use std::time::{Duration, SystemTime};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use model::{Problem, Timestamp};

use super::SendError;
use crate::http::install_crypto;

/// How the line to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// The line starts in the open and must become encrypted before anything is said (STARTTLS).
    StartTls,
    /// The line is encrypted from the start.
    Tls,
    /// It is not: for a server on the same machine only.
    None,
}

/// Which mail server, and who sends.
#[derive(Clone)]
pub struct MailSettings {
    /// The server.
    pub host: String,
    /// Its port; absent: 587 with STARTTLS, 465 with TLS, 25 without.
    pub port: Option<u16>,
    /// How the line is protected.
    pub security: MailSecurity,
    /// The sender, such as `Polder <polder@example.org>`.
    pub from: String,
    /// Name and password for signing in.
    pub credentials: Option<(String, String)>,
    /// How long one step may take.
    pub timeout: Duration,
}

/// A letter.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// The address of the receiver.
    pub to: &'a str,
    /// One line.
    pub subject: &'a str,
    /// Plain text.
    pub text: &'a str,
    /// The same for each attempt: a receiver sees that it is the same letter.
    pub id: &'a str,
    /// The same for letters that belong together: mail programs show them as one conversation.
    pub thread: &'a str,
    /// The moment that it is dated.
    pub date: Timestamp,
}

/// `Auto-Submitted` (RFC 3834): nobody need answer that they are on leave.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Sends letters through one server. A connection is made for each.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// A mailer for a server.
    ///
    /// # Errors
    /// A sender that is no address, a host that cannot be a name.
    pub fn new(settings: &MailSettings) -> Result<Self, Problem> {
        install_crypto();
        let from: Mailbox = settings.from.parse().map_err(|error: lettre::address::AddressError| {
            Problem::new("from", error.to_string(), "write it like Polder <polder@example.org>")
        })?;
        let parameters = || {
            TlsParameters::new(settings.host.clone())
                .map_err(|error| Problem::new("host", error.to_string(), "give the name of the mail server"))
        };
        let (tls, usual_port) = match settings.security {
            MailSecurity::StartTls => (Tls::Required(parameters()?), 587),
            MailSecurity::Tls => (Tls::Wrapper(parameters()?), 465),
            MailSecurity::None => (Tls::None, 25),
        };
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port.unwrap_or(usual_port))
            .tls(tls)
            .hello_name(hello)
            .timeout(Some(settings.timeout));
        if let Some((user, password)) = &settings.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Self { transport: builder.build(), from })
    }

    /// Sends a letter; `Ok` when the server has taken it.
    ///
    /// # Errors
    /// The address cannot be, the server cannot be reached, or does not take it.
    pub async fn send(&self, letter: &Letter<'_>) -> Result<(), SendError> {
        let never = |error: &dyn std::error::Error| SendError::Never(error.to_string());
        let to = letter.to.parse::<lettre::Address>().map_err(|error| never(&error))?;
        let domain = self.from.email.domain();
        let id = |text: &str| format!("<{}@{domain}>", text.replace('/', "."));
        let micros = u64::try_from(letter.date.micros()).unwrap_or_default();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
            .message_id(Some(id(letter.id)))
            .in_reply_to(id(letter.thread))
            .references(id(letter.thread))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.to_owned())
            .map_err(|error| never(&error))?;
        self.transport.send(message).await.map(drop).map_err(|error| failure(&error))
    }
}

/// A server that says no to the letter says so for good; one that cannot be reached, is busy or does not know us may
/// be mended.
fn failure(error: &lettre::transport::smtp::Error) -> SendError {
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !detail.contains(&more) {
            detail = format!("{detail}: {more}");
        }
        cause = inner.source();
    }
    let code = error.status().map(|code| code.to_string()).unwrap_or_default();
    let about_us = ["530", "534", "535", "538", "554"].contains(&code.as_str());
    if error.is_permanent() && !about_us { SendError::Never(detail) } else { SendError::Later(detail) }
}
