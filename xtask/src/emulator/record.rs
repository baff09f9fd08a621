//! The record of a running emulator: `up` writes it, `down` stops what it names.
//!
//! A process is named by its id and its start time, so that a process that got the id later is left alone.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use crate::process;

const FILE: &str = "running.json";

/// A server that outlives the command that started it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Process {
    pid: i32,
    started: String,
}

impl Process {
    /// The running process of an id.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn of(pid: i32) -> Result<Self> {
        let started = process::start_time(pid).with_context(|| format!("process {pid} has ended"))?;
        Ok(Self { pid, started })
    }

    /// Whether it runs.
    pub(super) fn is_running(&self) -> bool {
        process::start_time(self.pid).is_some_and(|started| started == self.started)
            && Pid::from_raw(self.pid).is_some_and(process::is_alive)
    }

    /// Stops the process and its group.
    ///
    /// # Errors
    /// When it does not stop.
    pub(crate) fn stop(&self) -> Result<()> {
        match Pid::from_raw(self.pid) {
            Some(group) if self.is_running() => process::stop_group(group),
            _ => Ok(()),
        }
    }
}

/// What runs.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Record {
    /// The emulator.
    pub(crate) ministack: Process,
    /// The gateway before it.
    pub(crate) gateway: Process,
    /// Where the gateway answers.
    pub(crate) base_url: String,
}

impl Record {
    /// The record in a folder, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => {
                Ok(Some(serde_json::from_slice(&bytes).with_context(|| format!("{}", path.display()))?))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes the record.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        fs::write(&path, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Removes the record.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn remove(folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
    }

    /// Whether the emulator and its gateway run.
    pub(crate) fn is_running(&self) -> bool {
        self.ministack.is_running() && self.gateway.is_running()
    }

    /// The emulator, if it runs.
    pub(crate) fn running_ministack(&self) -> Option<Process> {
        Some(self.ministack.clone()).filter(Process::is_running)
    }

    /// The gateway, if it runs.
    pub(crate) fn running_gateway(self) -> Option<Process> {
        Some(self.gateway).filter(Process::is_running)
    }
}
