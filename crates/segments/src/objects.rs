//! Segment files on any object store, for readers that do not wait asynchronously.
//!
//! Writing, listing and removing go through `object_store`. A local file is read at its position directly: that
//! costs a microsecond, a request handed to another thread many.

use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read},
    os::unix::fs::FileExt,
    path::{Path as FilePath, PathBuf},
    sync::{Arc, mpsc},
};

use bytes::Bytes;
use object_store::{
    Error as ObjectError, ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem, memory::InMemory, path::Path,
};
use parquet::{
    errors::ParquetError,
    file::reader::{ChunkReader, Length},
};
use tokio::runtime::{Builder, Runtime};

use crate::SegmentError;

/// Where segments are kept.
pub struct SegmentStore {
    store: Arc<dyn ObjectStore>,
    /// The folder, when it is one.
    root: Option<PathBuf>,
    /// Runs the requests; absent only while it is being dropped.
    runtime: Option<Runtime>,
}

impl SegmentStore {
    /// Segments in a folder, which is made when it does not exist. A write is on disk when it returns.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn local(folder: &FilePath) -> Result<Self, SegmentError> {
        std::fs::create_dir_all(folder).map_err(|error| SegmentError::io(folder, &error))?;
        let folder = folder.canonicalize().map_err(|error| SegmentError::io(folder, &error))?;
        let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| object_error("segments", &error))?;
        Self::over(Arc::new(store.with_fsync(true)), Some(folder))
    }

    /// Segments in memory, for tests.
    ///
    /// # Errors
    /// When the thread for requests cannot be started.
    pub fn memory() -> Result<Self, SegmentError> {
        Self::over(Arc::new(InMemory::new()), None)
    }

    fn over(store: Arc<dyn ObjectStore>, root: Option<PathBuf>) -> Result<Self, SegmentError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(2)
            .thread_name("segments")
            .enable_all()
            .build()
            .map_err(|error| SegmentError::io(FilePath::new("segments"), &error))?;
        Ok(Self { store, root, runtime: Some(runtime) })
    }

    /// Runs a request to its end. The caller may itself be inside an asynchronous runtime, so it never blocks on one.
    fn run<T: Send + 'static>(
        &self,
        file: &str,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<T, SegmentError> {
        let runtime = self.runtime.as_ref().ok_or(SegmentError::Closed)?;
        let (sender, receiver) = mpsc::sync_channel(1);
        runtime.spawn(async move {
            // The receiver only disappears together with its thread; then nobody waits for the answer.
            drop(sender.send(request.await));
        });
        receiver.recv().map_err(|_| SegmentError::Closed)?.map_err(|error| object_error(file, &error))
    }

    /// Writes a whole file; it appears at once or not at all.
    ///
    /// # Errors
    /// When the object store refuses it; a full disk is told apart.
    pub fn put(&self, file: &str, bytes: Vec<u8>) -> Result<(), SegmentError> {
        let (store, path) = (Arc::clone(&self.store), Path::from(file));
        self.run(file, async move { store.put(&path, PutPayload::from(bytes)).await.map(drop) })
    }

    /// Removes a file; one that is not there is fine.
    ///
    /// # Errors
    /// When the object store refuses it.
    pub fn delete(&self, file: &str) -> Result<(), SegmentError> {
        let (store, path) = (Arc::clone(&self.store), Path::from(file));
        self.run(file, async move {
            match store.delete(&path).await {
                Err(ObjectError::NotFound { .. }) => Ok(()),
                other => other,
            }
        })
    }

    /// Every file, two levels deep (tenant, segment).
    ///
    /// # Errors
    /// When the object store fails.
    pub fn list(&self) -> Result<Vec<String>, SegmentError> {
        let store = Arc::clone(&self.store);
        self.run("segments", async move {
            let mut files = Vec::new();
            for folder in store.list_with_delimiter(None).await?.common_prefixes {
                let listed = store.list_with_delimiter(Some(&folder)).await?.objects;
                files.extend(listed.into_iter().map(|object| object.location.to_string()));
            }
            Ok(files)
        })
    }

    /// Opens a file for reading at any position.
    pub(crate) fn open_file(self: &Arc<Self>, file: &str) -> Result<SegmentFile, SegmentError> {
        if let Some(root) = &self.root {
            let path = root.join(file);
            let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
            return match opened {
                Ok((bytes, file)) => Ok(SegmentFile::Local { file: Arc::new(file), bytes }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(SegmentError::damaged(format!("segment {file}"), "the file is missing"))
                }
                Err(error) => Err(SegmentError::io(&path, &error)),
            };
        }
        let (store, path) = (Arc::clone(&self.store), Path::from(file));
        let bytes = self.run(file, async move { store.head(&path).await })?.size;
        Ok(SegmentFile::Remote { objects: Arc::clone(self), file: file.into(), bytes })
    }

    /// The bytes of a whole file.
    ///
    /// # Errors
    /// When the file is missing or cannot be read.
    pub fn read(self: &Arc<Self>, file: &str) -> Result<Bytes, SegmentError> {
        let opened = self.open_file(file)?;
        let length = usize::try_from(opened.len()).map_err(|_| too_large(file))?;
        opened.get_bytes(0, length).map_err(|error| SegmentError::damaged(format!("segment {file}"), error.to_string()))
    }
}

impl Drop for SegmentStore {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // An ordinary drop waits, which is not allowed inside another runtime.
            runtime.shutdown_background();
        }
    }
}

fn too_large(file: &str) -> SegmentError {
    SegmentError::damaged(format!("segment {file}"), "it is larger than this machine can address")
}

fn object_error(file: &str, error: &ObjectError) -> SegmentError {
    if matches!(error, ObjectError::NotFound { .. }) {
        return SegmentError::damaged(format!("segment {file}"), "the file is missing");
    }
    // A full disk hides in the chain of sources.
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(io_error) = inner.downcast_ref::<io::Error>() {
            return SegmentError::io(FilePath::new(file), io_error);
        }
        source = inner.source();
    }
    SegmentError::Objects { thing: format!("segment {file}"), detail: error.to_string() }
}

/// A segment file that is open for reading. It stays readable when the file is removed locally.
pub(crate) enum SegmentFile {
    Local { file: Arc<File>, bytes: u64 },
    Remote { objects: Arc<SegmentStore>, file: Arc<str>, bytes: u64 },
}

impl Length for SegmentFile {
    fn len(&self) -> u64 {
        match self {
            Self::Local { bytes, .. } | Self::Remote { bytes, .. } => *bytes,
        }
    }
}

impl ChunkReader for SegmentFile {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        match self {
            Self::Local { file, .. } => {
                Ok(Box::new(BufReader::new(ReadAt { file: Arc::clone(file), position: start })))
            }
            Self::Remote { bytes, .. } => {
                let length = usize::try_from(bytes.saturating_sub(start)).unwrap_or(usize::MAX);
                Ok(Box::new(Cursor::new(self.get_bytes(start, length)?)))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|&end| end <= self.len());
        let end = end.ok_or_else(|| ParquetError::EOF(format!("{length} bytes at {start} are outside the file")))?;
        match self {
            Self::Local { file, .. } => {
                let mut buffer = vec![0; length];
                file.read_exact_at(&mut buffer, start)?;
                Ok(buffer.into())
            }
            Self::Remote { objects, file, .. } => {
                let (store, path) = (Arc::clone(&objects.store), Path::from(file.as_ref()));
                objects
                    .run(file, async move { store.get_range(&path, start..end).await })
                    .map_err(|error| ParquetError::External(Box::new(error)))
            }
        }
    }
}

/// Reads a file from a position on, without moving the file's own position.
struct ReadAt {
    file: Arc<File>,
    position: u64,
}

impl Read for ReadAt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
