//! `test`: gets what tests need, tells them where it is, and runs all of them.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::args::Args;
use crate::context::Context;
use crate::python::Environment;
use crate::shell::{self, Lost, Steps};
use crate::tools::{browser, postgres, protoc, torch};
use crate::web;

/// Packages of the tests that read our files with other programs.
pub(crate) const REQUIREMENTS: &str = "tests/python/requirements.txt";

/// What could be had for the tests, as the variables that they look at.
#[derive(Default)]
struct Equipment {
    variables: Vec<(&'static str, OsString)>,
    /// Names in `ASAP_REQUIRE`: a test whose name stands there fails where it would skip.
    required: Vec<&'static str>,
    lost: Vec<Lost>,
    /// Ends with the tests.
    postgres: Option<postgres::Server>,
}

pub(crate) fn test(context: &Context, args: Args) -> Result<()> {
    let filter = args.extra()?;
    let mut steps = Steps::default();
    let result = all(context, &filter, &mut steps);
    println!("\ntimes of `cargo xtask test`\n{}", steps.summary());
    result
}

/// Everything, under the steps of the caller.
pub(crate) fn all(context: &Context, filter: &[String], steps: &mut Steps) -> Result<()> {
    steps.step("protoc", || {
        protoc::ensure(context).map(|found| println!("{}", found.path().display()))
    })?;
    let equipment = equip(context, steps)?;
    for lost in &equipment.lost {
        steps.note(format!("skipped: {lost}"));
    }
    if equipment.lost.is_empty() {
        steps.note("every tool was there: no test had to skip for want of one");
    }
    steps.step("build", || context.build_all())?;
    if filter.is_empty() {
        // Before the others, so that the last count on the screen is that of the real tests.
        steps.step("documentation tests", || run_doctests(context))?;
    }
    steps.step("tests", || run_tests(context, &equipment, filter))
}

fn equip(context: &Context, steps: &mut Steps) -> Result<Equipment> {
    let mut equipment = Equipment::default();
    match steps.step("web client", || web::build(context))? {
        Ok(site) => equipment.have("web", &[("ASAP_SITE", site.into())]),
        Err(lost) => equipment.lost.push(lost),
    }
    match steps.step("browser", || Ok(browser::ensure()))? {
        Ok(found) => equipment.have(
            "browser",
            &[
                ("ASAP_CHROMIUM", found.chromium.into()),
                ("ASAP_CHROMEDRIVER", found.driver.into()),
            ],
        ),
        Err(lost) => equipment.lost.push(lost),
    }
    match steps.step("libtorch", || Ok(torch::ensure(context)))? {
        Ok(found) => {
            // A libtorch of the user's own may come without its Python.
            if let Some(python) = found.python {
                equipment.have("torch", &[("ASAP_TORCH_PYTHON", python.into())]);
            }
        }
        Err(lost) => equipment.lost.push(lost),
    }
    match steps.step("PostgreSQL", || Ok(postgres::start()))? {
        Ok(server) => {
            equipment.have("postgres", &[("ASAP_TEST_POSTGRES", server.url().into())]);
            equipment.postgres = Some(server);
        }
        Err(lost) => equipment.lost.push(lost),
    }
    let requirements = context.root.join(REQUIREMENTS);
    if requirements.is_file() {
        match steps.step(
            "Python readers",
            || Ok(environment(&requirements).ensure(context)),
        )? {
            Ok(python) => equipment.have("python", &[("ASAP_PYTHON", python.into())]),
            Err(lost) => equipment.lost.push(lost),
        }
    }
    Ok(equipment)
}

/// The environment of the interoperability tests.
pub(crate) fn environment(requirements: &Path) -> Environment<'_> {
    Environment {
        name: "test-venv".to_owned(),
        requirements,
        serves: "tests that read our files with Python",
    }
}

impl Equipment {
    fn have(&mut self, name: &'static str, variables: &[(&'static str, OsString)]) {
        self.required.push(name);
        self.variables.extend_from_slice(variables);
    }

    fn tell(&self, context: &Context, command: &mut Command) -> Result<()> {
        let artefacts = context.target.join("artefacts");
        fs::create_dir_all(&artefacts).with_context(|| format!("making `{}`", artefacts.display()))?;
        command
            .env("ASAP_BIN", context.asap())
            .env("ASAP_TRAIN_BIN", context.asap_train())
            .env("ASAP_ARTEFACTS", artefacts);
        command.env("ASAP_REQUIRE", self.required.join(","));
        command.envs(self.variables.iter().map(|(name, path)| (name, path)));
        let shared = context.root.join("../shared");
        if std::env::var_os("ASAP_SHARED").is_none()
            && let Ok(shared) = shared.canonicalize()
        {
            command.env("ASAP_SHARED", shared);
        }
        Ok(())
    }
}

fn run_tests(context: &Context, equipment: &Equipment, filter: &[String]) -> Result<()> {
    let mut command = context.cargo();
    if shell::which("cargo-nextest").is_some() {
        command
            .args(["nextest", "run"])
            .args(context.selection())
            .arg("--all-targets")
            .args(filter);
    } else {
        command
            .arg("test")
            .args(context.selection())
            .args(["--all-targets", "--no-fail-fast", "--"])
            .args(filter);
    }
    equipment.tell(context, &mut command)?;
    shell::run(&mut command)
}

fn run_doctests(context: &Context) -> Result<()> {
    shell::run(context.cargo().arg("test").args(context.selection()).arg("--doc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_what_is_there() {
        let folder = std::env::temp_dir().join(format!("asap-xtask-test-{}", std::process::id()));
        let context = Context {
            root: folder.clone(),
            target: folder.join("target"),
            tools: folder.join("tools"),
        };
        let mut equipment = Equipment::default();
        equipment.have("web", &[("ASAP_SITE", context.site().into())]);
        equipment.have("python", &[("ASAP_PYTHON", "p".into())]);
        let mut command = Command::new("true");
        equipment.tell(&context, &mut command).unwrap();
        let value = |name: &str| {
            let found = command.get_envs().find(|(key, _)| *key == name);
            found
                .and_then(|(_, value)| value)
                .map(|value| value.to_string_lossy().into_owned())
        };
        assert_eq!(value("ASAP_REQUIRE").as_deref(), Some("web,python"));
        assert_eq!(value("ASAP_PYTHON").as_deref(), Some("p"));
        assert!(value("ASAP_BIN").unwrap().contains("asap"));
        assert!(folder.join("target/artefacts").is_dir());
        fs::remove_dir_all(folder).unwrap();
    }
}
