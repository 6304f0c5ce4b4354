//! `pictures`: what the README shows, photographed from the viewer on the demo dataset.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, anyhow};

use crate::args::Args;
use crate::context::Context;
use crate::demo;
use crate::shell;
use crate::tools::browser;

const FOLDER: &str = "docs/images";
/// The operator whose pair is shown: the error is seen at a glance.
const SHOWN_OPERATOR: &str = "hand.twisted_wrist@1";
const HEX_DIGITS: usize = 64;

pub(crate) fn command(context: &Context, args: Args) -> Result<()> {
    args.end()?;
    let browser = browser::ensure().map_err(|lost| anyhow!("{}; {}", lost.because, lost.get))?;
    let dataset = demo::ready(context)?;
    let list = shell::capture(
        Command::new(context.asap())
            .args(["data", "list", "--json"])
            .arg(&dataset),
    )
    .context("`asap data list` failed")?;
    let pair = shown_pair(&list)
        .with_context(|| format!("no kept pair of `{SHOWN_OPERATOR}` in the demo dataset"))?;
    let viewer = Viewer::start(context, &dataset)?;
    std::fs::create_dir_all(context.root.join(FOLDER))?;
    let profile = context.target.join("artefacts/pictures-profile");
    for (name, address, size) in [
        ("grid.png", "/pairs?decision=kept".to_owned(), "1280,860"),
        (
            "pair.png",
            format!("/pairs/{pair}?decision=kept&mask=outline"),
            "1280,860",
        ),
    ] {
        let file = context.root.join(FOLDER).join(name);
        shell::run(
            Command::new(&browser.chromium)
                .args([
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                    "--hide-scrollbars",
                ])
                .args(["--disable-background-networking", "--disable-sync"])
                .arg(format!("--user-data-dir={}", profile.display()))
                .arg(format!("--window-size={size}"))
                .arg(format!("--screenshot={}", file.display()))
                .arg(format!("{}{address}", viewer.address))
                .stderr(Stdio::null()),
        )?;
    }
    Ok(())
}

/// The id of the first kept pair of the shown operator in the list that `asap data list --json` prints.
fn shown_pair(list: &str) -> Option<String> {
    let compact: String = list.split_whitespace().collect();
    let entry = compact.split("\"id\":\"").skip(1).find(|entry| {
        entry.contains(&format!("[\"{SHOWN_OPERATOR}\"]")) && entry.contains("\"decision\":\"kept\"")
    })?;
    entry.get(..HEX_DIGITS).map(str::to_owned)
}

/// The viewer on a port of its choice, stopped when this is dropped.
struct Viewer {
    child: Child,
    address: String,
}

impl Viewer {
    fn start(context: &Context, dataset: &Path) -> Result<Self> {
        let mut child = Command::new(context.asap())
            .args(["serve", "--addr", "127.0.0.1:0", "--data"])
            .arg(dataset)
            .stderr(Stdio::piped())
            .spawn()
            .context("`asap serve` does not start")?;
        let stderr = child.stderr.take().context("`asap serve` has no stderr")?;
        let line = BufReader::new(stderr)
            .lines()
            .next()
            .transpose()?
            .unwrap_or_default();
        let address = line.find("http://").map(|at| line[at..].trim().to_owned());
        let viewer = Self {
            child,
            address: address.clone().unwrap_or_default(),
        };
        address.with_context(|| format!("`asap serve` told no address but `{line}`"))?;
        Ok(viewer)
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shown_pair_is_a_kept_one_of_the_operator() {
        let id = |digit: &str| digit.repeat(HEX_DIGITS);
        let entry = |digit: &str, operator: &str, decision: &str| {
            format!(
                "{{ \"id\": \"{}\", \"operators\": [ \"{operator}\" ], \"decision\": \"{decision}\" }}",
                id(digit)
            )
        };
        let list = [
            entry("a", SHOWN_OPERATOR, "rejected"),
            entry("b", "hand.size@1", "kept"),
            entry("c", SHOWN_OPERATOR, "kept"),
        ];
        assert_eq!(shown_pair(&list.join(",")), Some(id("c")));
        assert_eq!(shown_pair(&list[..2].join(",")), None);
    }
}
