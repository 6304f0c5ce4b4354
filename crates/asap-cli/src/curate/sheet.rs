//! A contact sheet: the pairs that a person should look at first, part beside part.

use asap_core::BoxPx;
use image::imageops::{FilterType, crop_imm, overlay, resize};
use image::{Rgb, RgbImage};

use super::letters::{self, LINE_PX};

/// Side of a thumbnail.
const THUMBNAIL_PX: u32 = 168;
const GAP_PX: u32 = 8;
const N_COLUMNS: u32 = 4;
const N_CAPTION_LINES: u32 = 3;
const PAPER: Rgb<u8> = Rgb([250, 250, 248]);
const INK: Rgb<u8> = Rgb([32, 32, 36]);
const FAINT_INK: Rgb<u8> = Rgb([110, 110, 116]);

/// A pair on the sheet.
pub(crate) struct Cell {
    /// The part in the preferred image.
    pub(crate) preferred: RgbImage,
    /// The same pixels of the rejected image.
    pub(crate) rejected: RgbImage,
    /// What stands under it.
    pub(crate) caption: Vec<String>,
}

/// A heading and its pairs.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) cells: Vec<Cell>,
}

impl Cell {
    /// Cuts the surroundings of `part` out of both images of a pair.
    pub(crate) fn new(preferred: &RgbImage, rejected: &RgbImage, part: BoxPx, caption: Vec<String>) -> Self {
        let square = surroundings(part, preferred.width(), preferred.height());
        let cut = |image: &RgbImage| {
            let crop = crop_imm(image, square.x0, square.y0, square.width(), square.height()).to_image();
            fitted(&crop)
        };
        Self {
            preferred: cut(preferred),
            rejected: cut(rejected),
            caption,
        }
    }
}

/// Draws the sections one under the other.
pub(crate) fn draw(sections: &[Section]) -> RgbImage {
    let cell_width = 2 * THUMBNAIL_PX + 2;
    let cell_height = THUMBNAIL_PX + 4 + N_CAPTION_LINES * LINE_PX;
    let title_height = 2 * LINE_PX;
    let n_rows = |section: &Section| (section.cells.len() as u32).div_ceil(N_COLUMNS).max(1);
    let height_of = |section: &Section| title_height + n_rows(section) * (cell_height + GAP_PX);
    let width = GAP_PX + N_COLUMNS * (cell_width + GAP_PX);
    let height = GAP_PX + sections.iter().map(height_of).sum::<u32>();
    let mut sheet = RgbImage::from_pixel(width, height, PAPER);
    let mut top = GAP_PX;
    for section in sections {
        letters::write(&mut sheet, (GAP_PX, top), width - 2 * GAP_PX, &section.title, INK);
        if section.cells.is_empty() {
            letters::write(&mut sheet, (GAP_PX, top + title_height), width, "none", FAINT_INK);
        }
        for (idx, cell) in section.cells.iter().enumerate() {
            let (column, row) = (idx as u32 % N_COLUMNS, idx as u32 / N_COLUMNS);
            let left = GAP_PX + column * (cell_width + GAP_PX);
            draw_cell(
                &mut sheet,
                cell,
                (left, top + title_height + row * (cell_height + GAP_PX)),
            );
        }
        top += height_of(section);
    }
    sheet
}

fn draw_cell(sheet: &mut RgbImage, cell: &Cell, (left, top): (u32, u32)) {
    overlay(sheet, &cell.preferred, i64::from(left), i64::from(top));
    overlay(
        sheet,
        &cell.rejected,
        i64::from(left + THUMBNAIL_PX + 2),
        i64::from(top),
    );
    for (idx, line) in cell.caption.iter().take(N_CAPTION_LINES as usize).enumerate() {
        let line_top = top + THUMBNAIL_PX + 4 + idx as u32 * LINE_PX;
        let color = if idx == 0 { INK } else { FAINT_INK };
        letters::write(sheet, (left, line_top), 2 * THUMBNAIL_PX, line, color);
    }
}

/// The part with a third of its size around it, as square as the image allows.
fn surroundings(part: BoxPx, width: u32, height: u32) -> BoxPx {
    let side = part.width().max(part.height());
    let wanted = (side + 2 * (side / 3)).max(64);
    let along = |low: u32, length: u32, limit: u32| {
        let size = wanted.min(limit);
        let center = low + length / 2;
        let start = center.saturating_sub(size / 2).min(limit - size);
        (start, start + size)
    };
    let (x0, x1) = along(part.x0, part.width(), width);
    let (y0, y1) = along(part.y0, part.height(), height);
    BoxPx { x0, y0, x1, y1 }
}

/// Scaled into the thumbnail's square and centred on paper.
fn fitted(image: &RgbImage) -> RgbImage {
    let factor = f64::from(THUMBNAIL_PX) / f64::from(image.width().max(image.height()));
    let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).clamp(1, THUMBNAIL_PX);
    let small = resize(
        image,
        scaled(image.width()),
        scaled(image.height()),
        FilterType::Lanczos3,
    );
    let mut square = RgbImage::from_pixel(THUMBNAIL_PX, THUMBNAIL_PX, PAPER);
    let offset = |side: u32| i64::from((THUMBNAIL_PX - side) / 2);
    overlay(&mut square, &small, offset(small.width()), offset(small.height()));
    square
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surroundings_hold_the_part_and_stay_inside() {
        for (part, size) in [
            (
                BoxPx {
                    x0: 0,
                    y0: 0,
                    x1: 30,
                    y1: 12,
                },
                (512, 512),
            ),
            (
                BoxPx {
                    x0: 490,
                    y0: 300,
                    x1: 512,
                    y1: 512,
                },
                (512, 512),
            ),
            (
                BoxPx {
                    x0: 10,
                    y0: 10,
                    x1: 390,
                    y1: 20,
                },
                (400, 50),
            ),
        ] {
            let around = surroundings(part, size.0, size.1);
            assert!(
                around.x0 <= part.x0 && around.y0 <= part.y0 && around.x1 >= part.x1 && around.y1 >= part.y1
            );
            assert!(around.x1 <= size.0 && around.y1 <= size.1, "{around:?}");
        }
    }

    #[test]
    fn a_sheet_shows_the_difference_of_each_pair() {
        let preferred = RgbImage::from_pixel(300, 200, Rgb([200, 0, 0]));
        let rejected = RgbImage::from_pixel(300, 200, Rgb([0, 0, 200]));
        let part = BoxPx {
            x0: 100,
            y0: 50,
            x1: 150,
            y1: 90,
        };
        let cell = || {
            Cell::new(
                &preferred,
                &rejected,
                part,
                vec!["hand.extra_finger@1".to_owned()],
            )
        };
        let sheet = draw(&[
            Section {
                title: "worst kept".to_owned(),
                cells: (0..5).map(|_| cell()).collect(),
            },
            Section {
                title: "best rejected".to_owned(),
                cells: Vec::new(),
            },
        ]);
        let n_of = |color: [u8; 3]| sheet.pixels().filter(|pixel| pixel.0 == color).count() as u32;
        assert_eq!(n_of([200, 0, 0]), 5 * THUMBNAIL_PX * THUMBNAIL_PX);
        assert_eq!(n_of([0, 0, 200]), 5 * THUMBNAIL_PX * THUMBNAIL_PX);
    }
}
