//! How open_clip cleans a text before it is cut into tokens.

use unicode_normalization::UnicodeNormalization as _;

/// What the characters of a prompt become: quotes straight, ligatures and wide letters plain, entities resolved,
/// blanks single, all lower case.
///
/// # Source
/// `whitespace_clean(basic_clean(text)).lower()` of open_clip `tokenizer.py`, where `basic_clean` is
/// `html.unescape(html.unescape(ftfy.fix_text(text))).strip()` with ftfy 6.3.
///
/// # Deviation
/// Text that was decoded with the wrong encoding is not repaired, and of HTML's 2231 named entities only `amp`,
/// `lt`, `gt`, `quot`, `apos` and `nbsp` are known, besides all numbered ones.
pub(crate) fn open_clip(text: &str) -> String {
    let fixed: String = text
        .chars()
        .filter(|c| !is_control(*c))
        .flat_map(plain)
        .nfc()
        .collect();
    let resolved = unescape(&unescape(&fixed));
    let words: Vec<&str> = resolved.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// The control characters that ftfy removes; tab, line feed and form feed are blanks.
const fn is_control(c: char) -> bool {
    matches!(c,
        '\0'..='\x08' | '\x0b' | '\x0e'..='\x1f' | '\x7f' | '\u{206a}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffc}')
}

/// A character without typographic dress.
fn plain(c: char) -> Vec<char> {
    match c {
        '\u{2bc}' | '\u{2018}'..='\u{201b}' => vec!['\''],
        '\u{201c}'..='\u{201f}' => vec!['"'],
        '\u{149}' => vec!['\'', 'n'],
        // Latin ligatures and digraphs.
        '\u{132}' | '\u{133}' | '\u{1f1}'..='\u{1f3}' | '\u{fb00}'..='\u{fb06}' => c.nfkc().collect(),
        // Letters as wide as Chinese ones, and narrow Katakana.
        '\u{3000}' | '\u{ff01}'..='\u{ffef}' => c.nfkc().collect(),
        _ => vec![c],
    }
}

/// Entities as the characters that they stand for, once.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match entity(rest) {
            Some((c, n_bytes)) => {
                out.push(c);
                rest = &rest[n_bytes..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The character of the entity at the beginning of `text`, and how many bytes it takes.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.find(';')?;
    let name = text.get(1..end)?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((c, end + 1))
}
