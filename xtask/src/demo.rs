//! `demo` and `serve`: the demo dataset, made by the built `asap` from its recipe, and the viewer on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::args::Args;
use crate::context::Context;
use crate::shell::{self, Steps};
use crate::tools::protoc;
use crate::web;

const ADDRESS: &str = "127.0.0.1:3000";
const RECIPE: &str = "datasets/hap-demo/recipe.toml";

/// What builds a dataset; the arguments of `asap` under the names that they have there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    pub(crate) figures: Figures,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figures {
    pub(crate) n: u32,
    pub(crate) seed: u64,
    pub(crate) size: u32,
}

struct Photos {
    folder: PathBuf,
    poses: Option<PathBuf>,
}

pub(crate) fn demo(context: &Context, mut args: Args) -> Result<()> {
    let folder = args.value("--photos")?;
    let poses = args.value("--poses")?;
    if folder.is_none() && poses.is_some() {
        anyhow::bail!("`--poses` goes with `--photos DIR`");
    }
    let photos = match folder {
        Some(folder) => Some(Photos {
            folder: full(&folder)?,
            poses: poses.as_deref().map(full).transpose()?,
        }),
        None => None,
    };
    let is_fresh = args.flag("--fresh");
    let stays = !args.flag("--no-serve");
    let address = args.value("--addr")?.unwrap_or_else(|| ADDRESS.to_owned());
    args.end()?;

    let mut steps = Steps::default();
    steps.step("protoc", || {
        protoc::ensure(context).map(|found| println!("{}", found.path().display()))
    })?;
    steps.step("asap", || context.build_asap())?;
    let site = steps.step("web client", || web::build(context))?;
    let dataset = steps.step("demo dataset", || dataset(context, photos.as_ref(), is_fresh))?;
    println!("\ndone in\n{}", steps.summary());
    if let Err(lost) = &site {
        eprintln!("{}", web::sentence(lost));
    }
    println!("\ndataset: {}", dataset.display());
    println!("command: {}", context.asap().display());
    if stays {
        return serve_dataset(context, &dataset, &address);
    }
    Ok(())
}

pub(crate) fn serve(context: &Context, mut args: Args) -> Result<()> {
    let address = args.value("--addr")?.unwrap_or_else(|| ADDRESS.to_owned());
    let extra = args.extra()?;
    if !extra.is_empty() {
        protoc::ensure(context)?;
        context.build_asap()?;
        return shell::run(Command::new(context.asap()).arg("serve").args(extra));
    }
    let dataset = ready(context)?;
    serve_dataset(context, &dataset, &address)
}

/// The demo dataset of the recipe alone, with the `asap` that made it.
pub(crate) fn ready(context: &Context) -> Result<PathBuf> {
    protoc::ensure(context)?;
    context.build_asap()?;
    dataset(context, None, false)
}

fn serve_dataset(context: &Context, dataset: &Path, address: &str) -> Result<()> {
    println!("\nthe viewer is at http://{address} (stop it with Ctrl-C)\n");
    let mut command = Command::new(context.asap());
    command.args(["serve", "--addr", address, "--data"]).arg(dataset);
    if context.site().join("pkg/asap.js").is_file() {
        command.arg("--site").arg(context.site());
    }
    shell::run(&mut command)
}

/// A path that stays right when a child starts in another folder.
fn full(path: &str) -> Result<PathBuf> {
    Path::new(path)
        .canonicalize()
        .with_context(|| format!("`{path}` is not there"))
}

/// The dataset, made where it is not there yet. What it is made from is kept beside it twice: when the work
/// begins, so that an interrupted run goes on and a changed recipe starts anew, and when it is complete.
fn dataset(context: &Context, photos: Option<&Photos>, is_fresh: bool) -> Result<PathBuf> {
    let folder = context.target.join("demo");
    let dataset = folder.join("hap-demo.lance");
    let commands = commands(&recipe(&context.root.join(RECIPE))?, photos, &dataset);
    let wanted: String = commands.iter().map(|words| words.join("\u{1f}") + "\n").collect();
    let begun = folder.join("hap-demo.begun");
    let complete = folder.join("hap-demo.complete");
    let says = |file: &Path| fs::read_to_string(file).is_ok_and(|found| found == wanted);
    if !is_fresh && dataset.is_dir() && says(&complete) {
        println!("it is there already: {}", dataset.display());
        return Ok(dataset);
    }
    if dataset.exists() && (is_fresh || !says(&begun)) {
        fs::remove_dir_all(&dataset).with_context(|| format!("removing `{}`", dataset.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
    web::write(&begun, &wanted)?;
    for words in &commands {
        shell::run(
            Command::new(context.asap())
                .args(words)
                .current_dir(&context.root),
        )?;
    }
    web::write(&complete, &wanted)?;
    Ok(dataset)
}

pub(crate) fn recipe(path: &Path) -> Result<Recipe> {
    let text = fs::read_to_string(path).with_context(|| format!("reading `{}`", path.display()))?;
    toml::from_str(&text).with_context(|| format!("`{}` is no recipe", path.display()))
}

fn commands(recipe: &Recipe, photos: Option<&Photos>, dataset: &Path) -> Vec<Vec<String>> {
    let out = dataset.display().to_string();
    let figures = &recipe.figures;
    let mut commands = vec![
        words(&[
            "synth",
            "figures",
            "--n",
            &figures.n.to_string(),
            "--seed",
            &figures.seed.to_string(),
        ])
        .chain(words(&["--size", &figures.size.to_string(), "--out", &out]))
        .collect(),
    ];
    if let Some(photos) = photos {
        let mut command: Vec<String> =
            words(&["synth", "photos", &photos.folder.to_string_lossy(), "--out", &out]).collect();
        if let Some(poses) = &photos.poses {
            command.extend(words(&["--poses", &poses.to_string_lossy()]));
        }
        commands.push(command);
    }
    commands.push(words(&["curate", &out]).collect());
    commands.push(words(&["data", "stats", &out]).collect());
    commands
}

fn words(given: &[&str]) -> impl Iterator<Item = String> {
    given
        .iter()
        .map(|&word| word.to_owned())
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipe_in_the_tree_becomes_commands() {
        let root = Context::find().unwrap().root;
        let recipe = recipe(&root.join(RECIPE)).unwrap();
        let lines = |photos: Option<&Photos>| -> Vec<String> {
            commands(&recipe, photos, Path::new("d.lance"))
                .iter()
                .map(|words| words.join(" "))
                .collect()
        };
        let Figures { n, seed, size } = recipe.figures;
        let figures = format!("synth figures --n {n} --seed {seed} --size {size} --out d.lance");
        assert_eq!(
            lines(None),
            [figures.as_str(), "curate d.lance", "data stats d.lance"]
        );
        let photos = Photos {
            folder: "p".into(),
            poses: Some("k.json".into()),
        };
        assert_eq!(
            lines(Some(&photos))[1],
            "synth photos p --out d.lance --poses k.json"
        );
    }

    #[test]
    fn an_unknown_key_in_a_recipe_is_an_error() {
        let text = "[figures]\nn = 1\nseed = 2\nsize = 3\nsise = 4\n";
        assert!(
            toml::from_str::<Recipe>(text)
                .unwrap_err()
                .to_string()
                .contains("sise")
        );
    }
}
