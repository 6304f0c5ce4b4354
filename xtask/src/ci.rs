//! `ci`: what has to pass before a change is taken, the quick checks first.

use anyhow::{Context as _, Result};

use crate::args::Args;
use crate::context::Context;
use crate::shell::{self, Steps};
use crate::tools::{protoc, torch};
use crate::{test, tidy};

pub(crate) fn ci(context: &Context, args: Args) -> Result<()> {
    args.end()?;
    let mut steps = Steps::default();
    let result = all(context, &mut steps);
    println!("\ntimes of `cargo xtask ci`\n{}", steps.summary());
    result
}

fn all(context: &Context, steps: &mut Steps) -> Result<()> {
    steps
        .step("formatting", || {
            shell::run(context.cargo().args(["fmt", "--all", "--check"]))
        })
        .context("repeat with `cargo fmt --all`, which also mends it")?;
    steps
        .step("tidy", || tidy::tidy(context))
        .context("repeat with `cargo xtask tidy`")?;
    if let Err(lost) = steps.step("libtorch", || Ok(torch::ensure(context)))? {
        steps.note(format!("not checked: {lost}"));
    }
    steps
        .step("clippy", || clippy(context))
        .context("repeat with `cargo clippy --workspace --all-targets -- -D warnings`")?;
    test::all(context, &[], steps).context("repeat with `cargo xtask test`")
}

fn clippy(context: &Context) -> Result<()> {
    protoc::ensure(context)?;
    shell::run(context.cargo().arg("clippy").args(context.selection()).args([
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}
