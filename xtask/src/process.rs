//! Other programs: run to their end, or kept running as servers. A server never outlives the command that
//! started it, unless it is left running on purpose ([`Server::leave`]).

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

/// How long a server may take to stop when it is asked to.
const STOP_PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks at a server that is starting or stopping.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How much of a server's log a failure shows, in lines.
const LOG_TAIL: usize = 40;

/// The process groups to end when this command is interrupted.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Runs a program to its end, with this command's own input and output.
///
/// # Errors
/// When it cannot start, or ends in failure; the message holds the command line.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command.status().with_context(|| format!("cannot start {line}"))?;
    ensure!(status.success(), "{line}: {status}");
    Ok(())
}

/// Runs a program to its end with a text as its standard input: what must not be seen among its arguments.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Result<()> {
    let line = line(command);
    let mut child = command.stdin(Stdio::piped()).spawn().with_context(|| format!("cannot start {line}"))?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
    let status = child.wait()?;
    ensure!(status.success(), "{line}: {status}");
    written.with_context(|| format!("{line}: it does not read its input"))
}

/// Runs a program to its end and gives what it printed on its standard output.
///
/// # Errors
/// As [`run`]; the message also holds what the program printed on its standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {line}"))?;
    ensure!(
        output.status.success(),
        "{line}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).with_context(|| format!("{line}: its output is not UTF-8"))
}

/// Runs a program to its end with all that it prints in the file `log`, for programs that say much.
///
/// # Errors
/// As [`run`]; the message also holds the end of the log.
pub(crate) fn run_quietly(command: &mut Command, log: &Path) -> Result<()> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stderr(file.try_clone()?).stdout(file);
    run(command).with_context(|| tail(log))
}

/// Whether a program can be started and ends well; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn line(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(command.get_program().to_string_lossy()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// A tenth of what others get where all want a processor: less, and tests that wait for something give up waiting.
const NICENESS: &str = "10";

/// The same command, which leaves the processors to whatever else wants them.
pub(crate) fn with_low_priority(command: &Command) -> Command {
    let mut niced = Command::new("nice");
    niced.args(["-n", NICENESS]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        niced.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => niced.env(name, value),
            None => niced.env_remove(name),
        };
    }
    niced
}

/// Ends every running server when this command is interrupted or told to end.
///
/// # Errors
/// When the signals cannot be taken.
pub(crate) fn stop_servers_on_interrupt() -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let running = std::mem::take(&mut *RUNNING.lock().unwrap_or_else(PoisonError::into_inner));
            for group in running {
                if let Err(error) = stop_group(group) {
                    eprintln!("{error:#}");
                }
            }
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

/// A program that runs beside this command, in a process group of its own.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    group: Pid,
    log: PathBuf,
}

impl Server {
    /// Starts the program; all it prints goes to the file `log`.
    ///
    /// # Errors
    /// When it cannot start, or `log` cannot be written.
    pub(crate) fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)?;
        }
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let line = line(command);
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stderr(output.try_clone()?)
            .stdout(output)
            .spawn()
            .with_context(|| format!("cannot start {line}"))?;
        let group = Pid::from_child(&child);
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).push(group);
        Ok(Self { name, child, group, log: log.to_owned() })
    }

    /// Looks again and again until `ready`, for at most `patience`.
    ///
    /// # Errors
    /// When the program ends before, or is not ready in time; the message holds the end of its log.
    pub(crate) fn wait_until(&mut self, patience: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let started = Instant::now();
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended: {status}\n{}", self.name, self.log_tail());
            }
            let waited = started.elapsed();
            ensure!(waited < patience, "{} is not ready after {waited:.0?}\n{}", self.name, self.log_tail());
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// Looks whether the program has failed already.
    ///
    /// # Errors
    /// When it has; all that it printed is printed before.
    pub(crate) fn check_not_failed(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) if !status.success() => self.ended(status),
            _ => Ok(()),
        }
    }

    /// Waits until the program ends by itself, and prints all that it printed.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn finish(mut self) -> Result<()> {
        let status = self.child.wait()?;
        self.ended(status)
    }

    fn ended(&self, status: ExitStatus) -> Result<()> {
        print!("{}", fs::read_to_string(&self.log).with_context(|| self.log.display().to_string())?);
        ensure!(status.success(), "{} ended: {status}", self.name);
        Ok(())
    }

    /// The end of what the program printed.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// The program's process id, which is its group's too.
    pub(crate) fn pid(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Leaves the program running after this command.
    pub(crate) fn leave(self) {
        forget(self.group);
        // Without this the drop would stop it. Nothing is lost: the standard library does not reap on drop.
        std::mem::forget(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        forget(self.group);
        if let Err(error) = stop_group(self.group) {
            eprintln!("{} could not be stopped: {error:#}", self.name);
        }
        // Reaps the child; it has ended by now, or could not be stopped, which has been said.
        if let Err(error) = self.child.try_wait() {
            eprintln!("{}: {error}", self.name);
        }
    }
}

fn forget(group: Pid) {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| *other != group);
}

/// The last lines of a log, for a failure's message.
pub(crate) fn tail(log: &Path) -> String {
    let Ok(bytes) = fs::read(log) else { return format!("(no log at {})", log.display()) };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    let shown = lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n");
    format!("--- the end of {}:\n{shown}", log.display())
}

/// Asks a process group to end, and ends it by force when it does not.
///
/// # Errors
/// When it is still there after that.
pub(crate) fn stop_group(group: Pid) -> Result<()> {
    for (signal, patience) in [(Signal::TERM, STOP_PATIENCE), (Signal::KILL, STOP_PATIENCE)] {
        if kill_process_group(group, signal).is_err() {
            return Ok(());
        }
        let asked = Instant::now();
        while asked.elapsed() < patience {
            if !is_alive(group) {
                // What the first process left behind in its group has no use without it. None left is fine.
                return match kill_process_group(group, Signal::KILL) {
                    Ok(()) | Err(Errno::SRCH) => Ok(()),
                    Err(error) => Err(error.into()),
                };
            }
            thread::sleep(LOOK_AGAIN);
        }
    }
    bail!("process group {} does not end", group.as_raw_nonzero())
}

/// Whether the group's first process runs; one that has ended and only waits to be reaped does not.
pub(crate) fn is_alive(group: Pid) -> bool {
    let pid = group.as_raw_nonzero().to_string();
    Command::new("ps")
        .args(["-o", "stat=", "-p", &pid])
        .output()
        .is_ok_and(|output| output.status.success() && !output.stdout.trim_ascii().starts_with(b"Z"))
}

/// When the process started, as the system tells it: with its id it names a process that is no other,
/// even after ids have come round again.
pub(crate) fn start_time(pid: i32) -> Option<String> {
    let output = Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("xtask-{}-{name}.log", std::process::id()))
    }

    #[test]
    fn a_server_and_what_it_started_end_with_its_value() {
        let log = log("group");
        let mut server = Server::start("a server", &mut shell("sleep 600 & echo $!; wait"), &log).unwrap();
        let mut child = String::new();
        server
            .wait_until(STOP_PATIENCE, || {
                child = fs::read_to_string(&log).unwrap().trim().to_owned();
                !child.is_empty()
            })
            .unwrap();
        let child: i32 = child.parse().unwrap();
        let (group, child) = (server.group, Pid::from_raw(child).unwrap());
        assert!(is_alive(group) && is_alive(child));
        drop(server);
        assert!(!is_alive(group) && !is_alive(child));
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_server_that_ends_is_not_waited_for() {
        let log = log("ends");
        let mut server = Server::start("a server", &mut shell("echo no luck; exit 3"), &log).unwrap();
        let error = server.wait_until(STOP_PATIENCE, || false).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("no luck"), "{error}");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn what_runs_beside_tells_when_it_has_failed_and_how_it_has_ended() {
        let log = log("beside");
        let mut good = Server::start("a server", &mut with_low_priority(&shell("nice")), &log).unwrap();
        good.check_not_failed().unwrap();
        good.finish().unwrap();
        assert_eq!(fs::read_to_string(&log).unwrap().trim(), NICENESS);
        let mut bad = Server::start("a server", &mut shell("exit 3"), &log).unwrap();
        let error = loop {
            if let Err(error) = bad.check_not_failed() {
                break error.to_string();
            }
            thread::sleep(LOOK_AGAIN);
        };
        assert!(error.contains("exit status: 3"), "{error}");
        bad.finish().unwrap_err();
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_failure_tells_the_command_and_what_it_said() {
        let error = output(&mut shell("echo why >&2; exit 1")).unwrap_err().to_string();
        assert!(error.starts_with("sh -c") && error.contains("why"), "{error}");
        assert!(run(&mut Command::new("/no/such/program")).is_err());
    }
}
