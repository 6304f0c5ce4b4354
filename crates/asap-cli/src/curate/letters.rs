//! Letters for captions: a fixed alphabet of five by seven dots, so that a picture needs no font file.

use image::{Rgb, RgbImage};

/// Columns from one letter to the next.
pub(crate) const ADVANCE_PX: u32 = 6;
/// Rows from one line to the next.
pub(crate) const LINE_PX: u32 = 10;

/// Seven rows of five dots for each letter that is known; capitals are written small.
const LETTERS: [(char, [&str; 7]); 47] = [
    (
        'a',
        ["     ", "     ", " ### ", "    #", " ####", "#   #", " ####"],
    ),
    (
        'b',
        ["#    ", "#    ", "#### ", "#   #", "#   #", "#   #", "#### "],
    ),
    (
        'c',
        ["     ", "     ", " ### ", "#    ", "#    ", "#   #", " ### "],
    ),
    (
        'd',
        ["    #", "    #", " ####", "#   #", "#   #", "#   #", " ####"],
    ),
    (
        'e',
        ["     ", "     ", " ### ", "#   #", "#####", "#    ", " ### "],
    ),
    (
        'f',
        ["  ## ", " #   ", "#### ", " #   ", " #   ", " #   ", " #   "],
    ),
    (
        'g',
        ["     ", " ####", "#   #", "#   #", " ####", "    #", " ### "],
    ),
    (
        'h',
        ["#    ", "#    ", "#### ", "#   #", "#   #", "#   #", "#   #"],
    ),
    (
        'i',
        ["  #  ", "     ", " ##  ", "  #  ", "  #  ", "  #  ", " ### "],
    ),
    (
        'j',
        ["   # ", "     ", "  ## ", "   # ", "   # ", "#  # ", " ##  "],
    ),
    (
        'k',
        ["#    ", "#    ", "#  # ", "# #  ", "##   ", "# #  ", "#  # "],
    ),
    (
        'l',
        [" ##  ", "  #  ", "  #  ", "  #  ", "  #  ", "  #  ", " ### "],
    ),
    (
        'm',
        ["     ", "     ", "## # ", "# # #", "# # #", "# # #", "# # #"],
    ),
    (
        'n',
        ["     ", "     ", "#### ", "#   #", "#   #", "#   #", "#   #"],
    ),
    (
        'o',
        ["     ", "     ", " ### ", "#   #", "#   #", "#   #", " ### "],
    ),
    (
        'p',
        ["     ", "     ", "#### ", "#   #", "#### ", "#    ", "#    "],
    ),
    (
        'q',
        ["     ", "     ", " ####", "#   #", " ####", "    #", "    #"],
    ),
    (
        'r',
        ["     ", "     ", "# ## ", "##   ", "#    ", "#    ", "#    "],
    ),
    (
        's',
        ["     ", "     ", " ####", "#    ", " ### ", "    #", "#### "],
    ),
    (
        't',
        [" #   ", " #   ", "#### ", " #   ", " #   ", " #   ", "  ## "],
    ),
    (
        'u',
        ["     ", "     ", "#   #", "#   #", "#   #", "#   #", " ####"],
    ),
    (
        'v',
        ["     ", "     ", "#   #", "#   #", "#   #", " # # ", "  #  "],
    ),
    (
        'w',
        ["     ", "     ", "#   #", "#   #", "# # #", "# # #", " # # "],
    ),
    (
        'x',
        ["     ", "     ", "#   #", " # # ", "  #  ", " # # ", "#   #"],
    ),
    (
        'y',
        ["     ", "#   #", "#   #", "#   #", " ####", "    #", " ### "],
    ),
    (
        'z',
        ["     ", "     ", "#####", "   # ", "  #  ", " #   ", "#####"],
    ),
    (
        '0',
        [" ### ", "#   #", "#  ##", "# # #", "##  #", "#   #", " ### "],
    ),
    (
        '1',
        ["  #  ", " ##  ", "  #  ", "  #  ", "  #  ", "  #  ", " ### "],
    ),
    (
        '2',
        [" ### ", "#   #", "    #", "  ## ", " #   ", "#    ", "#####"],
    ),
    (
        '3',
        [" ### ", "#   #", "    #", "  ## ", "    #", "#   #", " ### "],
    ),
    (
        '4',
        ["   # ", "  ## ", " # # ", "#  # ", "#####", "   # ", "   # "],
    ),
    (
        '5',
        ["#####", "#    ", "#### ", "    #", "    #", "#   #", " ### "],
    ),
    (
        '6',
        [" ### ", "#    ", "#    ", "#### ", "#   #", "#   #", " ### "],
    ),
    (
        '7',
        ["#####", "    #", "   # ", "  #  ", "  #  ", " #   ", " #   "],
    ),
    (
        '8',
        [" ### ", "#   #", "#   #", " ### ", "#   #", "#   #", " ### "],
    ),
    (
        '9',
        [" ### ", "#   #", "#   #", " ####", "    #", "    #", " ### "],
    ),
    (
        '.',
        ["     ", "     ", "     ", "     ", "     ", " ##  ", " ##  "],
    ),
    (
        ',',
        ["     ", "     ", "     ", "     ", " ##  ", "  #  ", " #   "],
    ),
    (
        ':',
        ["     ", " ##  ", " ##  ", "     ", " ##  ", " ##  ", "     "],
    ),
    (
        '/',
        ["    #", "    #", "   # ", "  #  ", " #   ", "#    ", "#    "],
    ),
    (
        '_',
        ["     ", "     ", "     ", "     ", "     ", "     ", "#####"],
    ),
    (
        '+',
        ["     ", "  #  ", "  #  ", "#####", "  #  ", "  #  ", "     "],
    ),
    (
        '%',
        ["##  #", "##  #", "   # ", "  #  ", " #   ", "#  ##", "#  ##"],
    ),
    (
        '-',
        ["     ", "     ", "     ", "#### ", "     ", "     ", "     "],
    ),
    (
        '@',
        [" ### ", "#   #", "# ###", "# # #", "# ###", "#    ", " ### "],
    ),
    (
        '<',
        ["   # ", "  #  ", " #   ", "#    ", " #   ", "  #  ", "   # "],
    ),
    (
        '>',
        [" #   ", "  #  ", "   # ", "    #", "   # ", "  #  ", " #   "],
    ),
];

/// Writes a line with its upper left corner at (`left`, `top`), cut off at `max_width_px`.
pub(crate) fn write(
    image: &mut RgbImage,
    (left, top): (u32, u32),
    max_width_px: u32,
    text: &str,
    color: Rgb<u8>,
) {
    let n_fitting = (max_width_px / ADVANCE_PX) as usize;
    for (idx, letter) in text.chars().take(n_fitting).enumerate() {
        for (row, dots) in dots(letter).iter().enumerate() {
            for (column, dot) in dots.bytes().enumerate() {
                let (x, y) = (left + idx as u32 * ADVANCE_PX + column as u32, top + row as u32);
                if dot == b'#' && x < image.width() && y < image.height() {
                    image.put_pixel(x, y, color);
                }
            }
        }
    }
}

fn dots(letter: char) -> [&'static str; 7] {
    let small = letter.to_ascii_lowercase();
    LETTERS
        .iter()
        .find(|(known, _)| *known == small)
        .map_or([""; 7], |(_, dots)| *dots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_distinct_and_of_one_size() {
        for (idx, (letter, dots)) in LETTERS.iter().enumerate() {
            assert!(dots.iter().all(|row| row.len() == 5), "{letter}");
            assert!(
                LETTERS[..idx]
                    .iter()
                    .all(|(other, same)| other != letter && same != dots),
                "{letter}"
            );
        }
    }

    #[test]
    fn a_line_is_cut_off_and_stays_in_the_image() {
        let mut image = RgbImage::new(20, 7);
        write(&mut image, (0, 0), 12, "88888", Rgb([255; 3]));
        assert!(
            image
                .enumerate_pixels()
                .all(|(x, _, pixel)| x < 11 || pixel.0 == [0; 3])
        );
        write(&mut image, (15, 3), 100, "88", Rgb([255; 3]));
    }
}
