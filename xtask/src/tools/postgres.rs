//! PostgreSQL, for the tests of what several servers share: the programs, and a server that lives as long as the tests.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell::{self, Lost};

const PACKAGES: [&str; 1] = ["postgresql"];
/// Where Debian keeps the server's programs, by version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// A new server answers within a second or two, on a busy machine later.
const PATIENCE: Duration = Duration::from_secs(60);
/// The account that Debian's package makes: the server refuses to run as root.
const USER: &str = "postgres";

/// The folder with `initdb` and `postgres`.
pub(crate) fn locate() -> Option<PathBuf> {
    let given = env::var_os("ASAP_POSTGRES_BIN").map(PathBuf::from);
    let on_path = shell::which("initdb").and_then(|file| file.parent().map(Path::to_path_buf));
    let has_both = |folder: &PathBuf| {
        ["initdb", "postgres"]
            .iter()
            .all(|name| shell::is_program(&folder.join(name)))
    };
    given.into_iter().chain(on_path).chain(debian()).find(has_both)
}

/// Debian's folders, the newest version first.
fn debian() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(DEBIAN) else {
        return Vec::new();
    };
    let version = |path: &PathBuf| -> Option<u32> { path.file_name()?.to_str()?.parse().ok() };
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.sort_by_key(|path| std::cmp::Reverse(version(path)));
    found.into_iter().map(|path| path.join("bin")).collect()
}

/// The command that gets it.
pub(crate) fn get() -> String {
    format!("sudo apt-get install {}", PACKAGES.join(" "))
}

/// Gets the programs and starts a server of its own.
pub(crate) fn start() -> Result<Server, Lost> {
    let lost = |because: String| Lost::new("tests on PostgreSQL", because, get());
    let programs = match locate() {
        Some(found) => found,
        None => match shell::apt_install(&PACKAGES) {
            Ok(()) => locate()
                .ok_or_else(|| lost("the installed packages have no `initdb` and `postgres`".to_owned()))?,
            Err(reason) => return Err(lost(format!("there is no PostgreSQL and {reason}"))),
        },
    };
    Server::start(&programs).map_err(lost)
}

/// A server over an empty folder; both are gone when it is dropped.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// Reached by a socket in its folder, so no port can be taken already. What it stores need not survive.
    fn start(programs: &Path) -> Result<Self, String> {
        let folder = env::temp_dir().join(format!("asap-pg-{}", std::process::id()));
        let made = unprivileged("mkdir").args(["-m", "700"]).arg(&folder).status();
        if !made.is_ok_and(|status| status.success()) {
            return Err(format!("`{}` could not be made", folder.display()));
        }
        let data = folder.join("data");
        let mut initdb = unprivileged(programs.join("initdb"));
        initdb
            .args([
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--username",
                USER,
            ])
            .arg("--pgdata")
            .arg(&data);
        if shell::capture(&mut initdb).is_none() {
            remove(&folder);
            return Err(format!("`{}` failed", shell::line(&initdb)));
        }
        let mut server = unprivileged(programs.join("postgres"));
        server
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder)
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = server
            .spawn()
            .map_err(|error| format!("`{}` does not start: {error}", shell::line(&server)))?;
        let mut started = Self { child, folder };
        started.wait()?;
        Ok(started)
    }

    /// Its address, as programs take it.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://{USER}@localhost/postgres?host={}",
            self.folder.display()
        )
    }

    /// The socket appears when it listens.
    fn wait(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        let socket = self.folder.join(".s.PGSQL.5432");
        while !socket.exists() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server ended at once ({status})"));
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!(
                    "the server did not answer within {} s",
                    PATIENCE.as_secs()
                ));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `kill` from here may not reach another user's process; the signal that ends connections is INT.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.child.wait();
        remove(&self.folder);
    }
}

fn remove(folder: &Path) {
    // What cannot be removed is in the folder for temporary files, and takes no harm there.
    let _ = fs::remove_dir_all(folder);
}

/// A command under the server's own account where this one is root's, and ended with this process in any case.
fn unprivileged(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let is_root = shell::capture(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid",
            USER,
            "--regid",
            USER,
            "--clear-groups",
            "--pdeathsig",
            "INT",
            "--",
        ])
        .arg(program)
        // It may not read the folder that this process stands in.
        .current_dir(env::temp_dir());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_comes_and_goes_with_its_folder() {
        let Some(programs) = locate() else {
            eprintln!("skipped: there is no PostgreSQL");
            return;
        };
        let server = Server::start(&programs).unwrap();
        let folder = server.folder.clone();
        assert!(server.url().contains(folder.to_str().unwrap()));
        assert!(folder.join(".s.PGSQL.5432").exists());
        drop(server);
        assert!(!folder.exists());
    }
}
