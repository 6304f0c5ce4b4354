//! `asap weights convert`: a torch file as safetensors.

use anyhow::Result;
use asap_metrics::weights::{Converted, convert, network};

use crate::args::ConvertArgs;
use crate::printer::Printer;
use crate::progress::Progress;

pub(crate) fn run(args: &ConvertArgs, printer: Printer) -> Result<()> {
    let converted = convert(&args.from, &args.to, &Progress::new(printer))?;
    let text = text(args, &converted);
    printer.summary(&text, &converted)
}

fn text(args: &ConvertArgs, converted: &Converted) -> String {
    let mut text = format!(
        "`{}`: {} tensors, {} bytes, SHA-256 {}\n",
        args.to.display(),
        converted.n_tensors,
        converted.n_bytes,
        converted.sha256
    );
    match converted.network.and_then(network) {
        Some(network) => {
            text.push_str(&format!("{} ({})", network.name, network.serves));
            if args
                .to
                .file_name()
                .is_none_or(|name| name != network.file.as_str())
            {
                text.push_str(&format!(": looked for under the name `{}`", network.file));
            }
        }
        None => text.push_str("a network that is not in the list of `asap weights list`"),
    }
    match &converted.published_at {
        Some(at) => text.push_str(&format!("; the file is the one published at {at}\n")),
        None => text.push_str("; no published file with this content is known\n"),
    }
    text
}
