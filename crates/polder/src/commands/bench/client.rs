//! A small HTTP/1.1 client over one kept-alive connection: enough to measure a server on this machine.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

use anyhow::{Context, Result, bail};

/// The largest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One connection.
pub struct Client {
    reader: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Client {
    /// Connects without delaying small packets.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .with_context(|| format!("nothing answers at {address}; start polder serve --open there"))?;
        stream.set_nodelay(true)?;
        Ok(Self { reader: BufReader::with_capacity(64 * 1024, stream), body: Vec::new() })
    }

    /// Sends a whole request and reads the whole answer; gives its status.
    pub fn send(&mut self, request: &[u8]) -> Result<u16> {
        self.reader.get_mut().write_all(request)?;
        let mut line = String::new();
        self.read_line(&mut line)?;
        let status =
            line.split(' ').nth(1).and_then(|s| s.parse().ok()).with_context(|| format!("no status in {line:?}"))?;
        let mut length = None;
        let mut chunked = false;
        loop {
            self.read_line(&mut line)?;
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = Some(value.trim().parse::<usize>()?);
            }
            chunked |= header == "transfer-encoding: chunked";
        }
        self.body.clear();
        if chunked {
            self.read_chunks()?
        } else {
            self.read_exactly(length.unwrap_or(0))?
        }
        Ok(status)
    }

    /// The last answer's body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The start of the last answer's body, for messages.
    pub fn last_body(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(300).collect()
    }

    fn read_line(&mut self, line: &mut String) -> Result<()> {
        line.clear();
        if self.reader.read_line(line)? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }

    fn read_exactly(&mut self, bytes: usize) -> Result<()> {
        let start = self.body.len();
        if start + bytes > ANSWER_BYTES_MAX {
            bail!("the answer is larger than {ANSWER_BYTES_MAX} bytes");
        }
        self.body.resize(start + bytes, 0);
        self.reader.read_exact(&mut self.body[start..])?;
        Ok(())
    }

    fn read_chunks(&mut self) -> Result<()> {
        let mut line = String::new();
        loop {
            self.read_line(&mut line)?;
            let size =
                usize::from_str_radix(line.trim(), 16).with_context(|| format!("{line:?} is not a chunk size"))?;
            self.read_exactly(size)?;
            self.read_line(&mut line)?;
            if size == 0 {
                return Ok(());
            }
        }
    }
}
