//! The log file: appended to by every command, and begun anew when it gets too long.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// How many older files are kept: `dbt.log.1` is the youngest.
const BACKUPS: usize = 5;

/// A writer that renames the file away when it would get longer than allowed.
pub struct RotatingFile {
    path: PathBuf,
    max_bytes: u64,
    length: u64,
    file: BufWriter<File>,
}

impl RotatingFile {
    /// Opens the file at its end, and makes its folder if there is none. 0 bytes means no limit.
    pub fn open(path: &Path, max_bytes: u64) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let (file, length) = open_at_end(path)?;
        Ok(RotatingFile { path: path.to_path_buf(), max_bytes, length, file })
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file.flush()?;
        for number in (0..BACKUPS).rev() {
            let (from, to) = (self.numbered(number), self.numbered(number + 1));
            if from.exists() {
                fs::rename(from, to)?;
            }
        }
        (self.file, self.length) = open_at_end(&self.path)?;
        Ok(())
    }

    fn numbered(&self, number: usize) -> PathBuf {
        if number == 0 {
            return self.path.clone();
        }
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn open_at_end(path: &Path) -> io::Result<(BufWriter<File>, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    Ok((BufWriter::with_capacity(64 * 1024, file), length))
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.max_bytes > 0 && self.length > 0 && self.length + bytes.len() as u64 > self.max_bytes {
            self.rotate()?;
        }
        let written = self.file.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/dbt.log");
        let mut log = RotatingFile::open(&path, 10).unwrap();
        for number in 0..8 {
            writeln!(log, "line {number}").unwrap();
        }
        drop(log);
        assert_eq!(fs::read_to_string(&path).unwrap(), "line 7\n");
        assert_eq!(fs::read_to_string(folder.path().join("logs/dbt.log.5")).unwrap(), "line 2\n");
        assert!(!folder.path().join("logs/dbt.log.6").exists());
        let mut log = RotatingFile::open(&path, 0).unwrap();
        writeln!(log, "without limit").unwrap();
        drop(log);
        assert_eq!(fs::read_to_string(&path).unwrap(), "line 7\nwithout limit\n");
    }
}
