//! Files of the city folder: opened, unpacked and read within limits, and recognised when they come back.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::{Crc, read::MultiGzDecoder};
use model::Problem;

use crate::config::Limits;

/// How many bytes at each end of a file make its fingerprint.
const FINGERPRINT_BYTES: u64 = 64 << 10;

/// A file or message being read, with a bound on the whole and on each record in it.
pub(crate) struct Guarded<R> {
    inner: R,
    total: u64,
    total_max: u64,
    record: Arc<AtomicU64>,
    record_max: u64,
}

/// Tells a [`Guarded`] reader that a record is complete.
#[derive(Clone)]
pub(crate) struct RecordMark(Arc<AtomicU64>);

impl RecordMark {
    /// The record is complete; the next one starts.
    pub(crate) fn next(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl<R: Read> Guarded<R> {
    pub(crate) fn new(inner: R, limits: &Limits) -> (Self, RecordMark) {
        let record = Arc::new(AtomicU64::new(0));
        let mark = RecordMark(record.clone());
        // One buffer may be read ahead of the record, so it does not count as part of it.
        let record_max = limits.record_bytes_max.saturating_add(1 << 20);
        (Self { inner, total: 0, total_max: limits.bytes_max, record, record_max }, mark)
    }
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.total += count as u64;
        let record = self.record.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        if self.total > self.total_max {
            return Err(io::Error::other(format!("it is larger than {} bytes when unpacked", self.total_max)));
        }
        if record > self.record_max {
            return Err(io::Error::other("one record does not end"));
        }
        Ok(count)
    }
}

/// The path of a file of the city folder.
///
/// # Errors
/// When it would lead out of the folder.
pub(crate) fn path_in(folder: &Path, file: &str) -> Result<PathBuf, Problem> {
    let inside = Path::new(file).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if !inside || file.is_empty() {
        let remedy = "write a path relative to the city folder, without ..";
        return Err(Problem::new("file", format!("\"{file}\" is not inside the city folder"), remedy));
    }
    Ok(folder.join(file))
}

/// Opens a file of the city folder; `.gz` is unpacked on the way.
///
/// # Errors
/// When it is not there or may not be read.
pub(crate) fn open(
    folder: &Path,
    file: &str,
    limits: &Limits,
) -> Result<(Guarded<Box<dyn Read + Send>>, RecordMark), Problem> {
    let path = path_in(folder, file)?;
    let opened = File::open(&path).map_err(|e| unreadable(file, &e))?;
    let reader: Box<dyn Read + Send> = if file.ends_with(".gz") {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, opened)))
    } else {
        Box::new(opened)
    };
    Ok(Guarded::new(reader, limits))
}

/// A file as a whole, for formats that cannot be read piece by piece.
///
/// # Errors
/// When it cannot be read, or is too large.
pub(crate) fn read_all(folder: &Path, file: &str, limits: &Limits) -> Result<Vec<u8>, Problem> {
    let whole = Limits { record_bytes_max: limits.bytes_max, ..limits.clone() };
    let (mut reader, _) = open(folder, file, &whole)?;
    let mut bytes = vec![];
    reader.read_to_end(&mut bytes).map_err(|e| unreadable(file, &e))?;
    Ok(bytes)
}

/// A file that cannot be read, or not to its end.
pub(crate) fn unreadable(file: &str, error: &io::Error) -> Problem {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "put the file there, or correct the name in city.toml",
        io::ErrorKind::UnexpectedEof => "the file is cut off: fetch it again; what came before was taken",
        io::ErrorKind::PermissionDenied => "let Polder read this file",
        _ => "check the file; raise limits in city.toml if it is right",
    };
    Problem::new(file, error.to_string(), remedy)
}

/// What recognises a file: its length and a checksum of both ends.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn fingerprint(folder: &Path, file: &str) -> Result<String, Problem> {
    let path = path_in(folder, file)?;
    let read = || -> io::Result<String> {
        let mut opened = File::open(&path)?;
        let length = opened.metadata()?.len();
        let mut crc = Crc::new();
        let mut head = vec![];
        opened.by_ref().take(FINGERPRINT_BYTES).read_to_end(&mut head)?;
        crc.update(&head);
        let mut tail = vec![];
        opened.seek(SeekFrom::Start(length.saturating_sub(FINGERPRINT_BYTES)))?;
        opened.read_to_end(&mut tail)?;
        crc.update(&tail);
        Ok(format!("{length}-{:08x}", crc.sum()))
    };
    read().map_err(|e| unreadable(file, &e))
}

/// A line with its number, or what is wrong with it.
pub(crate) type Line<'a> = (u64, Result<&'a [u8], Problem>);

/// Lines of a file, each within the limit; a longer one is skipped and reported.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    mark: RecordMark,
    line: u64,
    line_max: u64,
    buffer: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R, mark: RecordMark, limits: &Limits) -> Self {
        let reader = BufReader::with_capacity(1 << 16, reader);
        Self { reader, mark, line: 0, line_max: limits.record_bytes_max, buffer: vec![] }
    }

    /// The next line with its number, without its end; `None` at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read on. An overlong line is an inner error, and reading may go on.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        self.mark.next();
        let count = self.reader.by_ref().take(self.line_max).read_until(b'\n', &mut self.buffer)?;
        if count == 0 {
            return Ok(None);
        }
        self.line += 1;
        if count as u64 == self.line_max && self.buffer.last() != Some(&b'\n') {
            self.skip_line()?;
            let detail = format!("the line is longer than {} bytes", self.line_max);
            let problem = Problem::new("line", detail, "split the record, or raise limits.record_bytes_max");
            return Ok(Some((self.line, Err(problem.at_line(self.line)))));
        }
        Ok(Some((self.line, Ok(self.buffer.trim_ascii()))))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            self.mark.next();
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                return Ok(());
            }
            let end = available.iter().position(|b| *b == b'\n');
            let used = end.map_or(available.len(), |at| at + 1);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}
