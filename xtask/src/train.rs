//! `train`: gets libtorch, builds the trainer, and trains; without arguments the tiny model on the demo dataset.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::args::Args;
use crate::context::Context;
use crate::demo;
use crate::shell::{self, Steps};
use crate::tools::{protoc, torch};

pub(crate) fn train(context: &Context, args: Args) -> Result<()> {
    let given = args.extra()?;
    let mut steps = Steps::default();
    steps.step("protoc", || protoc::ensure(context).map(|_| ()))?;
    steps.step("libtorch", || match torch::ensure(context) {
        Ok(found) => {
            println!("{}", found.libtorch.display());
            Ok(())
        }
        Err(lost) => bail!("there is no {lost}"),
    })?;
    steps.step("asap-train", || context.build_asap_train())?;
    let words = if given.is_empty() {
        let dataset = steps.step("demo dataset", || demo::ready(context))?;
        let out = free(&context.target.join("train"), "tiny");
        tiny(&dataset, &out)
    } else {
        given
    };
    println!("\ndone in\n{}", steps.summary());
    // In the folder of the user, whose paths the words may name.
    shell::run(Command::new(context.asap_train()).args(words))
}

fn tiny(dataset: &Path, out: &Path) -> Vec<String> {
    let (dataset, out) = (dataset.display().to_string(), out.display().to_string());
    ["--preset", "tiny", "--data", &dataset, "--out", &out]
        .map(str::to_owned)
        .to_vec()
}

/// The first of `name`, `name-2`, `name-3`, … that is not there: no run is ever written over.
fn free(folder: &Path, name: &str) -> PathBuf {
    std::iter::once(name.to_owned())
        .chain((2..).map(|n| format!("{name}-{n}")))
        .map(|name| folder.join(name))
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_gets_a_folder_of_its_own() {
        let folder = std::env::temp_dir().join(format!("asap-xtask-train-{}", std::process::id()));
        assert_eq!(free(&folder, "tiny"), folder.join("tiny"));
        std::fs::create_dir_all(folder.join("tiny")).unwrap();
        std::fs::create_dir_all(folder.join("tiny-2")).unwrap();
        assert_eq!(free(&folder, "tiny"), folder.join("tiny-3"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
