//! `asap data list`: the pairs, one a line.

use anyhow::Result;
use asap_core::PairSummary;
use asap_store::Dataset;

use crate::args::DatasetArgs;
use crate::printer::Printer;
use crate::table::{self, Align};

pub(crate) async fn run(args: &DatasetArgs, printer: Printer) -> Result<()> {
    let pairs = Dataset::open(&args.dataset).await?.summaries().await?;
    printer.data(&text(&pairs), &pairs)
}

fn text(pairs: &[PairSummary]) -> String {
    let header = ["id", "source", "operators", "decision", "split", "ssim inside"].map(str::to_owned);
    let rows = pairs.iter().map(|pair| {
        [
            pair.id.short(),
            pair.source_name.clone(),
            pair.operators.join(" "),
            pair.decision.name().to_owned(),
            pair.split.name().to_owned(),
            table::number(pair.ssim_inside, 3),
        ]
    });
    let align = [
        Align::Left,
        Align::Left,
        Align::Left,
        Align::Left,
        Align::Left,
        Align::Right,
    ];
    table::render(align, std::iter::once(header).chain(rows))
}
