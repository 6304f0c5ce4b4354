//! `asap bench prompts stats`: the tables of balance.

use std::collections::BTreeMap;
use std::fmt::Display;

use anyhow::Result;
use asap_bench::prompts::{Counting, Histogram, PromptSet, Stats, stats};

use super::counters::with_tokenizers;
use crate::args::PromptsStatsArgs;
use crate::printer::Printer;
use crate::table::{self, Align};

pub(super) fn run(args: &PromptsStatsArgs, printer: Printer) -> Result<()> {
    let set = PromptSet::load(&args.prompts)?;
    let counting = if args.tokenizers.is_some() {
        Counting::Exact
    } else {
        Counting::Estimate
    };
    let stats = with_tokenizers(args.tokenizers.as_deref(), |tokenizers| stats(&set, tokenizers))?;
    printer.data(&text(&stats, counting), &stats)
}

fn text(stats: &Stats, counting: Counting) -> String {
    let head = format!(
        "`{}` version {}: {} prompts, SHA-256 {}\n",
        stats.name, stats.version, stats.n_prompts, stats.sha256
    );
    let parts = [
        head,
        subcategories(stats),
        axes(stats),
        factors(stats),
        lengths(stats, counting),
    ];
    parts.join("\n")
}

fn subcategories(stats: &Stats) -> String {
    let header = ["category", "subcategory", "prompts", "by persons", "by framing"].map(str::to_owned);
    let rows = stats.subcategories.iter().map(|it| {
        [
            it.category.name().to_owned(),
            it.subcategory.clone(),
            it.n_prompts.to_string(),
            listed(&it.persons),
            listed(&it.framing),
        ]
    });
    let align = [Align::Left, Align::Left, Align::Right, Align::Left, Align::Left];
    table::render(align, std::iter::once(header).chain(rows))
}

fn axes(stats: &Stats) -> String {
    let mut rows = vec![["axis", "value", "prompts", "share", "target"].map(str::to_owned)];
    for axis in &stats.axes {
        for value in &axis.values {
            rows.push([
                axis.axis.clone(),
                value.value.clone(),
                value.n_prompts.to_string(),
                table::number(value.share, 3),
                table::number(value.target, 3),
            ]);
        }
        if axis.n_unstated > 0 {
            let n_unstated = axis.n_unstated.to_string();
            rows.push([
                axis.axis.clone(),
                "(none)".to_owned(),
                n_unstated,
                String::new(),
                String::new(),
            ]);
        }
    }
    table::render(
        [Align::Left, Align::Left, Align::Right, Align::Right, Align::Right],
        rows,
    )
}

fn factors(stats: &Stats) -> String {
    let header = ["factor", "prompts"].map(str::to_owned);
    let rows = stats
        .factors
        .iter()
        .map(|(factor, n)| [factor.clone(), n.to_string()]);
    table::render([Align::Left, Align::Right], std::iter::once(header).chain(rows))
}

fn lengths(stats: &Stats, counting: Counting) -> String {
    let tokens = |encoder: &str| match counting {
        Counting::Exact => format!("{encoder} tokens"),
        Counting::Estimate => format!("{encoder} tokens, at most"),
    };
    let header = [
        "length in",
        "min",
        "median",
        "max",
        "prompts by first length of each bin",
    ]
    .map(str::to_owned);
    let row = |name: &str, histogram: &Histogram| {
        let number = |value: Option<usize>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        [
            name.to_owned(),
            number(histogram.min),
            number(histogram.median),
            number(histogram.max),
            listed(&histogram.bins),
        ]
    };
    let rows = [
        header,
        row("words", &stats.words),
        row(&tokens("CLIP"), &stats.clip_tokens),
        row(&tokens("BERT"), &stats.bert_tokens),
    ];
    table::render(
        [Align::Left, Align::Right, Align::Right, Align::Right, Align::Left],
        rows,
    )
}

/// `1: 8, 2: 2`.
fn listed(counts: &BTreeMap<impl Display, usize>) -> String {
    let counts: Vec<String> = counts.iter().map(|(key, n)| format!("{key}: {n}")).collect();
    counts.join(", ")
}
