//! `asap weights check`: what is in a folder of weights.

use anyhow::Result;
use asap_metrics::weights::{PINS_FILE, Present};

use crate::args::CheckArgs;
use crate::failure::hinted;
use crate::printer::Printer;

pub(crate) fn run(args: &CheckArgs, printer: Printer) -> Result<()> {
    let dir = super::open(&args.dir)?;
    let files = dir.check()?;
    if files.is_empty() {
        return Err(hinted(
            format!("`{}` holds no safetensors files", args.dir.display()),
            "`asap weights list` says where weights are to be had, `asap weights convert` converts them",
        ));
    }
    printer.data(&text(&files), &files)?;
    let n_wrong = files.iter().filter(|file| file.fault.is_some()).count();
    if n_wrong > 0 {
        return Err(hinted(
            format!(
                "`{}`: {n_wrong} of {} files cannot be used",
                args.dir.display(),
                files.len()
            ),
            "get them again, or remove what does not belong there",
        ));
    }
    if args.pin {
        dir.pin(&files)?;
        printer.note(&format!(
            "pinned {} files in `{}`",
            files.len(),
            args.dir.join(PINS_FILE).display()
        ));
    }
    Ok(())
}

fn text(files: &[Present]) -> String {
    let each = files.iter().map(|file| {
        let network = file.network.unwrap_or("a network that is not in the list");
        let pinned = if file.is_pinned { "pinned" } else { "not pinned" };
        let mut text = format!("{}: {network}, {pinned}\n  SHA-256 {}\n", file.file, file.sha256);
        if let Some(source) = &file.source_sha256 {
            let published = match file.published_at {
                Some(at) => format!("published at {at}"),
                None => "no published file with this content is known".to_owned(),
            };
            text.push_str(&format!("  converted from {source}: {published}\n"));
        }
        if let Some(fault) = &file.fault {
            text.push_str(&format!("  wrong: {fault}\n"));
        }
        text
    });
    each.collect()
}
