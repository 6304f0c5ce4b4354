//! Colours and type of plots and page, light and dark.
//!
//! Series differ in dash and marker too, and their colours stay apart for the common kinds of colour blindness.

const LIGHT: &[(&str, &str)] = &[
    ("paper", "#ffffff"),
    ("panel", "#f5f6f7"),
    ("ink", "#14181d"),
    ("ink2", "#59616b"),
    ("rule", "#c9ced4"),
    ("grid", "#e8eaed"),
    ("accent", "#0b5cad"),
    ("s0", "#0b62b0"),
    ("s1", "#c34a00"),
    ("warn", "#a34700"),
];

const DARK: &[(&str, &str)] = &[
    ("paper", "#14171b"),
    ("panel", "#1d2126"),
    ("ink", "#e8eaed"),
    ("ink2", "#a3abb5"),
    ("rule", "#464d56"),
    ("grid", "#2a2f36"),
    ("accent", "#74b6f5"),
    ("s0", "#62aef2"),
    ("s1", "#ff9a5c"),
    ("warn", "#ffb868"),
];

const PLOT: &str = include_str!("plot.css");
const PAGE: &str = include_str!("style.css");

/// The style of the page.
pub(super) fn page_css() -> String {
    let block = |colours: &[(&str, &str)]| -> String {
        colours
            .iter()
            .map(|(name, colour)| format!("--{name}:{colour};"))
            .collect()
    };
    format!(
        ":root{{color-scheme:light dark;{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n{PAGE}{PLOT}",
        block(LIGHT),
        block(DARK)
    )
}

/// The style of a plot that stands alone. Colours are written out, for few programs but browsers know variables.
pub(super) fn file_css() -> String {
    let dressed = |colours: &[(&str, &str)]| {
        colours.iter().fold(PLOT.to_owned(), |css, (name, colour)| {
            css.replace(&format!("var(--{name})"), colour)
        })
    };
    format!(
        "{}@media (prefers-color-scheme:dark){{{}}}",
        dressed(LIGHT),
        dressed(DARK)
    )
}
