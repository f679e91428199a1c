//! The data directory: made when missing, locked against a second server, and watched for room on its disk.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use crate::StoreError;

/// A data directory that this process holds alone. The operating system frees it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if need be and locks it.
    pub fn lock(path: &Path) -> Result<Self, StoreError> {
        let error = |e: std::io::Error| StoreError::io(path, &e);
        fs::create_dir_all(path).map_err(error)?;
        let lock_path = path.join("polder.lock");
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock_path);
        let mut lock = opened.map_err(error)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                // Only for the message: without the number it says less, but still the same.
                let known = lock.read_to_string(&mut process).is_ok() && !process.trim().is_empty();
                let holder = if known { format!(" (process {})", process.trim()) } else { String::new() };
                return Err(StoreError::Locked { directory: path.display().to_string(), holder });
            }
            Err(TryLockError::Error(e)) => return Err(error(e)),
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(error)?;
        Ok(Self { path: path.to_path_buf(), _lock: lock })
    }

    /// Refuses when fewer bytes than the reserve are free on the disk. Asked before every group of writes, because the
    /// engine does not survive a write that fails half-way.
    pub fn check_room(&self, reserve_bytes: u64) -> Result<(), StoreError> {
        let disk = rustix::fs::statvfs(&self.path).map_err(|e| StoreError::io(&self.path, &e.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= reserve_bytes {
            return Ok(());
        }
        let directory = self.path.display().to_string();
        Err(StoreError::DiskFull { directory, free_mb: free >> 20, reserve_mb: reserve_bytes >> 20 })
    }
}
