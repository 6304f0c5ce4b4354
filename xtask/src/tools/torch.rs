//! libtorch, which the trainer is linked with: the one inside the Python package torch.
//!
//! The same environment has the reference programs (diffusers, transformers, PEFT), so that what is trained and
//! what it is compared with stand on one libtorch.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::python::Environment;
use crate::shell::{self, Lost};

/// What pins torch and the reference programs.
const REQUIREMENTS: &str = "crates/asap-diffusion/tests/golden/requirements.txt";

/// Packages that are linked with libtorch. Where it cannot be had, everything else is built without them.
pub(crate) const LINKED: [&str; 2] = ["asap-diffusion", "asap-train"];

/// Where libtorch was found.
pub(crate) struct Torch {
    /// The folder with `lib` and `include`.
    pub(crate) libtorch: PathBuf,
    /// A Python with torch and the reference programs; not there where the user gave a libtorch of their own.
    pub(crate) python: Option<PathBuf>,
}

pub(crate) fn locate(context: &Context) -> Option<Torch> {
    if let Some(given) = env::var_os("LIBTORCH") {
        return Some(Torch {
            libtorch: given.into(),
            python: env::var_os("ASAP_TORCH_PYTHON").map(PathBuf::from),
        });
    }
    let requirements = context.root.join(REQUIREMENTS);
    let python = environment(&requirements).locate(context)?;
    let libtorch = inside(&python)?;
    Some(Torch {
        libtorch,
        python: Some(python),
    })
}

pub(crate) fn ensure(context: &Context) -> Result<Torch, Lost> {
    let requirements = context.root.join(REQUIREMENTS);
    let environment = environment(&requirements);
    let lost = |because: String| Lost::new("the trainer", because, environment.get(context));
    if shell::which("c++").is_none() {
        shell::apt_install(&["g++"])
            .map_err(|reason| lost(format!("there is no C++ compiler and {reason}")))?;
    }
    if locate(context).is_none() {
        environment.ensure(context)?;
    }
    locate(context).ok_or_else(|| lost("its Python environment holds no libtorch".to_owned()))
}

/// The Python environment that has it.
pub(crate) fn environment(requirements: &Path) -> Environment<'_> {
    Environment {
        name: "torch".to_owned(),
        requirements,
        serves: "the trainer",
    }
}

/// Whether a folder of golden numbers is made with this environment.
pub(crate) fn makes(root: &Path, folder: &Path) -> bool {
    folder.join("requirements.txt") == root.join(REQUIREMENTS)
}

/// The command that gets it.
pub(crate) fn get() -> String {
    "cargo xtask train".to_owned()
}

/// `lib/python3.11/site-packages/torch` beside the `bin` of an environment.
fn inside(python: &Path) -> Option<PathBuf> {
    let lib = python.parent()?.parent()?.join("lib");
    let mut found: Vec<PathBuf> = fs::read_dir(lib)
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("site-packages/torch"))
        .filter(|torch| torch.join("lib/libtorch.so").is_file())
        .collect();
    found.sort();
    found.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtorch_is_found_in_an_environment_whatever_its_python() {
        let root = env::temp_dir().join(format!("asap-xtask-torch-{}", std::process::id()));
        let torch = root.join("lib/python3.12/site-packages/torch");
        assert_eq!(inside(&root.join("bin/python")), None);
        fs::create_dir_all(torch.join("lib")).unwrap();
        fs::write(torch.join("lib/libtorch.so"), "").unwrap();
        assert_eq!(inside(&root.join("bin/python")), Some(torch));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn torch_is_pinned_to_what_the_bindings_expect() {
        let root = Context::find().unwrap().root;
        let requirements = fs::read_to_string(root.join(REQUIREMENTS)).unwrap();
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        assert!(requirements.lines().any(|line| line == "torch==2.11.0"));
        assert!(
            manifest.contains("tch = { version = \"0.24\""),
            "tch 0.24 goes with torch 2.11.0"
        );
    }
}
