//! A mail server on loopback for tests: it keeps what it takes, and can say no.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What was taken and what is refused.
#[derive(Default)]
struct Inner {
    letters: Mutex<Vec<Letter>>,
    refusals: Mutex<Vec<String>>,
}

/// A letter as it came over the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The addresses of `RCPT TO`.
    pub to: Vec<String>,
    /// Head and body, lines with CRLF.
    pub text: String,
}

/// A mail server without encryption; it stops with the runtime of its test.
#[derive(Clone)]
pub struct MailServer {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    inner: Arc<Inner>,
}

impl MailServer {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), inner: Arc::default() };
        let inner = Arc::clone(&server.inner);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let inner = Arc::clone(&inner);
                // A client that leaves early is no fault of the server.
                tokio::spawn(async move { drop(converse(socket, &inner).await) });
            }
        });
        server
    }

    /// The next letter is refused with this line.
    pub fn refuse(&self, line: &str) {
        self.inner.refusals.lock().unwrap().push(line.to_owned());
    }

    /// What was taken.
    pub fn letters(&self) -> Vec<Letter> {
        self.inner.letters.lock().unwrap().clone()
    }
}

async fn converse(socket: TcpStream, inner: &Inner) -> std::io::Result<()> {
    let (reader, mut writer) = socket.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut to = vec![];
    writer.write_all(b"220 test\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let upper = line.to_ascii_uppercase();
        let answer = if upper.starts_with("EHLO") {
            "250-test\r\n250 8BITMIME".to_owned()
        } else if upper.starts_with("RCPT TO:") {
            match inner.refusals.lock().unwrap().pop() {
                Some(refusal) => refusal,
                None => {
                    to.push(line["RCPT TO:".len()..].trim_matches(['<', '>', ' ']).to_owned());
                    "250 ok".to_owned()
                }
            }
        } else if upper == "DATA" {
            writer.write_all(b"354 go on\r\n").await?;
            let mut text = String::new();
            while let Some(line) = lines.next_line().await? {
                if line == "." {
                    break;
                }
                text.push_str(line.strip_prefix('.').unwrap_or(&line));
                text.push_str("\r\n");
            }
            inner.letters.lock().unwrap().push(Letter { to: std::mem::take(&mut to), text });
            "250 taken".to_owned()
        } else if upper == "QUIT" {
            writer.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "250 ok".to_owned()
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
