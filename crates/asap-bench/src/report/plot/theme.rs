//! Colours and type of plots and page, light and dark.

use std::fmt::Write as _;

/// Number of series that differ in colour, marker and dash; further ones begin again.
pub(super) const N_SERIES: usize = 6;

/// One set of colours. Series and outcomes stay apart for the common kinds of colour blindness, and text on
/// paper keeps a contrast of at least 4.5 to 1.
struct Theme {
    names: [(&'static str, &'static str); 20],
}

const LIGHT: Theme = Theme {
    names: [
        ("paper", "#ffffff"),
        ("panel", "#f5f6f7"),
        ("ink", "#14181d"),
        ("ink2", "#59616b"),
        ("rule", "#c9ced4"),
        ("grid", "#e8eaed"),
        ("accent", "#0b5cad"),
        ("s0", "#0b62b0"),
        ("s1", "#c34a00"),
        ("s2", "#007a5e"),
        ("s3", "#8b3fa0"),
        ("s4", "#806600"),
        ("s5", "#48525e"),
        ("win", "#0b5394"),
        ("tie", "#d5d9de"),
        ("loss", "#f09a5a"),
        ("onwin", "#ffffff"),
        ("onpale", "#14181d"),
        ("cell", "#0b62b0"),
        ("warn", "#8a4b00"),
    ],
};

const DARK: Theme = Theme {
    names: [
        ("paper", "#14171b"),
        ("panel", "#1d2126"),
        ("ink", "#e8eaed"),
        ("ink2", "#a3abb5"),
        ("rule", "#464d56"),
        ("grid", "#2a2f36"),
        ("accent", "#74b6f5"),
        ("s0", "#62aef2"),
        ("s1", "#ff9a5c"),
        ("s2", "#3ccda3"),
        ("s3", "#d79be6"),
        ("s4", "#dcc04a"),
        ("s5", "#b6c0cb"),
        ("win", "#3f8fdc"),
        ("tie", "#4a525c"),
        ("loss", "#d9803f"),
        ("onwin", "#0b0d10"),
        ("onpale", "#f3f4f6"),
        ("cell", "#62aef2"),
        ("warn", "#ffb868"),
    ],
};

/// What every plot is dressed with; `var(--x)` is a colour of the theme.
const RULES: &str = ".plot text{font-size:12px;fill:var(--ink)}\
.plot .title{font-size:16px;font-weight:600}\
.plot .sub,.plot .muted{fill:var(--ink2)}\
.plot .head,.plot .tick{font-size:11px;fill:var(--ink2)}\
.plot .group{font-weight:600}\
.plot .none{fill:var(--ink2);font-style:italic}\
.plot .end{text-anchor:end}\
.plot .mid{text-anchor:middle}\
.plot .paper{fill:var(--paper)}\
.plot .halo{fill:none;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}\
.plot .grid{stroke:var(--grid);fill:none}\
.plot .axis{stroke:var(--rule);fill:none}\
.plot .ref{stroke:var(--ink2);stroke-dasharray:4 3;fill:none}\
.plot .bar{stroke-width:2.5px;stroke-linecap:round;fill:none}\
.plot .win{fill:var(--win)}.plot .tie{fill:var(--tie)}.plot .loss{fill:var(--loss)}\
.plot .onwin{fill:var(--onwin)}.plot .onpale{fill:var(--onpale)}\
.plot .big{font-size:17px;font-weight:600}\
.plot .cell{fill:var(--cell)}\
.plot .frame{fill:none;stroke:var(--ink);stroke-width:1.5px}";

/// The page's own font first; DejaVu is what the toolkit brings for PNG.
pub(in crate::report) const FONTS: &str =
    "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif";

/// The colours as CSS variables: light, and dark where the reader prefers it.
pub fn variables() -> String {
    let block = |theme: &Theme| {
        theme
            .names
            .iter()
            .fold(String::new(), |mut text, (name, colour)| {
                _ = write!(text, "--{name}:{colour};");
                text
            })
    };
    format!(
        ":root{{color-scheme:light dark;{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n",
        block(&LIGHT),
        block(&DARK)
    )
}

/// The rules of plots inside a page that has [`variables`].
pub fn page_css() -> String {
    series_rules(RULES.to_owned())
}

/// The rules of a file that stands alone. Colours are written out, for few programs but browsers know variables.
pub(super) fn file_css() -> String {
    let rules = page_css();
    format!(
        ".plot{{font-family:{FONTS}}}{}@media (prefers-color-scheme:dark){{{}}}",
        dressed(&rules, &LIGHT),
        dressed(&rules, &DARK)
    )
}

/// The rules for PNG.
pub(super) fn png_css() -> String {
    format!(
        ".plot{{font-family:'DejaVu Sans';font-stretch:condensed}}{}",
        dressed(&page_css(), &LIGHT)
    )
}

fn series_rules(mut rules: String) -> String {
    for idx in 0..N_SERIES {
        _ = write!(
            rules,
            ".plot .f{idx}{{fill:var(--s{idx})}}.plot .l{idx}{{stroke:var(--s{idx})}}"
        );
    }
    rules
}

fn dressed(rules: &str, theme: &Theme) -> String {
    theme
        .names
        .iter()
        .fold(rules.to_owned(), |rules, (name, colour)| {
            rules.replace(&format!("var(--{name})"), colour)
        })
}

/// `stroke-dasharray` of a series' lines; the first is solid.
pub(super) fn dash(series: usize) -> &'static str {
    ["", "7 3", "2 3", "9 3 2 3", "4 2", "1 2 6 2"][series % N_SERIES]
}
