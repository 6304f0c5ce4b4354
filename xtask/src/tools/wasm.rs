//! A compiler for wasm: rustup's target, else Debian's toolchain, which builds the standard library itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::context::Context;
use crate::shell::{self, Lost};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
/// The oldest compiler that the workspace takes, as `rust-version` in the root manifest.
const OLDEST: (u32, u32) = (1, 94);

/// Which compiler builds the client.
pub(crate) enum Compiler {
    /// The active toolchain has the target's standard library.
    Rustup { library: PathBuf },
    /// Debian's toolchain with the standard library's source, and this linker.
    Debian { version: String, linker: PathBuf },
}

impl Compiler {
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Rustup { library } => format!("{} of the active toolchain", library.display()),
            Self::Debian { version, linker } => {
                format!("{DEBIAN_RUSTC} {version}, build-std, linker {}", linker.display())
            }
        }
    }

    /// `cargo build` for wasm, up to the choice of packages. Its own target folder, since another compiler in
    /// the common one would make cargo forget what it knows about both.
    pub(crate) fn build(&self, context: &Context) -> Command {
        let mut command = match self {
            Self::Rustup { .. } => {
                let mut command = context.cargo();
                command.arg("build");
                command
            }
            Self::Debian { linker, .. } => {
                let mut command = context.clean(DEBIAN_CARGO);
                command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
                command.env("RUSTC", DEBIAN_RUSTC);
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                // The standard library is built from source, which a stable compiler does only when told so.
                command
                    .env("RUSTC_BOOTSTRAP", "1")
                    .args(["build", "-Z", "build-std=std,panic_abort"]);
                command
            }
        };
        command
            .env("CARGO_TARGET_DIR", target_folder(context))
            .args(["--target", TARGET]);
        command
    }
}

/// Where the client is compiled.
pub(crate) fn target_folder(context: &Context) -> PathBuf {
    context.target.join("web")
}

pub(crate) fn locate(context: &Context) -> Option<Compiler> {
    rustup(context).or_else(debian)
}

pub(crate) fn ensure(context: &Context) -> Result<Compiler, Lost> {
    if let Some(found) = locate(context) {
        return Ok(found);
    }
    if shell::which("rustup").is_some() {
        println!("no {TARGET} here: asking rustup for it");
        let added = shell::run(context.clean("rustup").args(["target", "add", TARGET]));
        match (added, rustup(context)) {
            (Ok(()), Some(found)) => return Ok(found),
            _ => println!("rustup could not get it; trying Debian's packages"),
        }
    }
    let because = match shell::apt_install(&DEBIAN_PACKAGES) {
        Ok(()) => match debian() {
            Some(found) => return Ok(found),
            None => "Debian's rustc is too old or has no source beside it".to_owned(),
        },
        Err(reason) => format!("rustup cannot get {TARGET} and {reason}"),
    };
    Err(Lost::new(super::bindgen::SERVES, because, get()))
}

/// The command that gets it.
pub(crate) fn get() -> String {
    format!("rustup target add {TARGET}")
}

fn rustup(context: &Context) -> Option<Compiler> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let library =
        shell::capture(
            context
                .clean(rustc)
                .args(["--print", "target-libdir", "--target", TARGET]),
        )?;
    let library = PathBuf::from(library);
    has_library(&library).then_some(Compiler::Rustup { library })
}

fn has_library(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}

fn debian() -> Option<Compiler> {
    let facts = shell::capture(Command::new(DEBIAN_RUSTC).arg("-vV"))?;
    let version = field(&facts, "release")?.to_owned();
    let llvm = leading_numbers(field(&facts, "LLVM version")?)?.0;
    let sysroot = shell::capture(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]))?;
    let has_source = Path::new(&sysroot)
        .join("lib/rustlib/src/rust/library/std/Cargo.toml")
        .is_file();
    let is_new_enough = leading_numbers(&version)? >= OLDEST && shell::is_program(Path::new(DEBIAN_CARGO));
    let linker = linker(Path::new("/usr/bin"), llvm)?;
    (has_source && is_new_enough).then_some(Compiler::Debian { version, linker })
}

/// The oldest `wasm-ld-N` that reads what a compiler with this LLVM writes.
fn linker(folder: &Path, llvm: u32) -> Option<PathBuf> {
    let names = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let version = |name: String| name.strip_prefix("wasm-ld-")?.parse::<u32>().ok();
    let oldest = names.filter_map(version).filter(|found| *found >= llvm).min()?;
    Some(folder.join(format!("wasm-ld-{oldest}")))
}

fn field<'a>(facts: &'a str, name: &str) -> Option<&'a str> {
    facts
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The first two numbers of a version; a missing second one is 0.
fn leading_numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-']);
    let first = parts.next()?.parse().ok()?;
    Some((
        first,
        parts.next().and_then(|part| part.parse().ok()).unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let facts = "rustc 1.96.0\nrelease: 1.96.0\nLLVM version: 22.1.2";
        assert_eq!(field(facts, "release").and_then(leading_numbers), Some((1, 96)));
        assert_eq!(
            field(facts, "LLVM version").and_then(leading_numbers),
            Some((22, 1))
        );
        assert!(leading_numbers("1.100.0") > leading_numbers("1.94.0"));
        assert_eq!(leading_numbers("x"), None);
    }

    #[test]
    fn the_oldest_linker_that_is_new_enough_is_taken() {
        let folder = std::env::temp_dir().join(format!("asap-xtask-lld-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["wasm-ld-14", "wasm-ld-22", "wasm-ld-23", "wasm-ld-x", "lld-22"] {
            fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(linker(&folder, 19), Some(folder.join("wasm-ld-22")));
        assert_eq!(linker(&folder, 24), None);
        fs::remove_dir_all(folder).unwrap();
    }
}
