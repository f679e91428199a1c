//! Letters to a mail server on loopback, and messages to a real broker.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use model::Timestamp;
use polder_sources::outgoing::{
    SendError,
    mail::{Letter, MailSecurity, MailSettings, Mailer},
    publish::{BrokerSettings, Publisher},
};
use testing::{
    broker::{Broker, listen},
    mail_server::MailServer,
};

const PATIENCE: Duration = Duration::from_secs(15);

fn mailer(port: u16, security: MailSecurity) -> Mailer {
    let settings = MailSettings {
        host: "127.0.0.1".into(),
        port: Some(port),
        security,
        from: "Polder <polder@example.org>".into(),
        credentials: None,
        timeout: Duration::from_secs(5),
    };
    Mailer::new(&settings).unwrap()
}

fn letter(to: &str) -> Letter<'_> {
    Letter {
        to,
        subject: "OEFENING (gesimuleerd): Te druk: Café aan de Kade",
        text: "OEFENING (gesimuleerd)\n.\nHet is nu te druk (rood).\n",
        id: "avond/1/0003-0000/ovd",
        thread: "avond/1/3/ovd",
        date: Timestamp::from_micros(1_787_000_000_000_000),
    }
}

#[tokio::test]
async fn a_letter_arrives_whole_with_an_id_that_is_the_same_each_time() {
    let server = MailServer::start().await;
    let mailer = mailer(server.port, MailSecurity::None);
    mailer.send(&letter("ovd@example.org")).await.unwrap();
    mailer.send(&letter("ovd@example.org")).await.unwrap();
    let letters = server.letters();
    assert_eq!(letters[0], letters[1]);
    assert_eq!(letters[0].to, ["ovd@example.org"]);
    for line in [
        "From: Polder <polder@example.org>\r\n",
        "Message-ID: <avond.1.0003-0000.ovd@example.org>\r\n",
        "References: <avond.1.3.ovd@example.org>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Date: Mon, 17 Aug 2026 20:53:20 +0000\r\n",
    ] {
        assert!(letters[0].text.contains(line), "{line}: {}", letters[0].text);
    }
    assert!(letters[0].text.contains("OEFENING (gesimuleerd)\r\n.\r\n"), "{}", letters[0].text);
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_does_not_encrypt() {
    let server = MailServer::start().await;
    let error = mailer(server.port, MailSecurity::StartTls).send(&letter("ovd@example.org")).await.unwrap_err();
    assert!(matches!(error, SendError::Later(_)), "{error:?}");
    assert!(server.letters().is_empty());
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_is_for_good_and_one_that_is_busy_is_not() {
    let server = MailServer::start().await;
    let mailer = mailer(server.port, MailSecurity::None);
    for (answer, for_good) in
        [("550 no such mailbox", true), ("451 try again", false), ("554 you are on a list", false)]
    {
        server.refuse(answer);
        let error = mailer.send(&letter("ovd@example.org")).await.unwrap_err();
        assert_eq!(matches!(error, SendError::Never(_)), for_good, "{answer}: {error:?}");
        assert!(error.to_string().contains(&answer[4..]), "{error}");
    }
    let away = mailer_at_nothing().send(&letter("ovd@example.org")).await.unwrap_err();
    assert!(matches!(away, SendError::Later(_)), "{away:?}");
    let nonsense = mailer.send(&letter("nobody")).await.unwrap_err();
    assert!(matches!(nonsense, SendError::Never(_)), "{nonsense:?}");
}

fn mailer_at_nothing() -> Mailer {
    mailer(1, MailSecurity::None)
}

fn publisher(port: u16) -> Publisher {
    let settings = BrokerSettings {
        url: format!("mqtt://127.0.0.1:{port}"),
        client_id: "polder-alerts".into(),
        credentials: None,
        timeout: Duration::from_secs(5),
    };
    Publisher::new(&settings).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_reaches_who_listens_also_when_several_publish_at_once() {
    let broker = Broker::start().await;
    let mut heard = listen(&broker, "polder/alerts/#").await;
    let publisher = publisher(broker.port);
    let publish = |number: u8| publisher.publish("polder/alerts/meldkamer", vec![number]);
    let (first, second) = tokio::join!(publish(1), publish(2));
    assert_eq!((first, second), (Ok(()), Ok(())));
    let mut payloads = vec![];
    while payloads.len() < 2 {
        let message = tokio::time::timeout(PATIENCE, heard.recv()).await.expect("a message comes").unwrap();
        payloads.push(message.1);
    }
    assert_eq!(payloads, [vec![1], vec![2]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_for_later() {
    let error = publisher(1).publish("polder/alerts/a", vec![1]).await.unwrap_err();
    assert!(matches!(error, SendError::Later(_)), "{error:?}");
}
