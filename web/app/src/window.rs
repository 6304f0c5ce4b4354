//! Geometry of the endless grid: which cards are on the screen, in constant time.
//!
//! All cards are equally high, so nothing is measured but one card. Browsers cap the height of a page
//! (2^24 CSS pixels at two device pixels each); above [`MAX_SCROLL_PX`] the scroll bar is scaled instead.

/// The tallest list that is laid out at its own height.
pub const MAX_SCROLL_PX: f64 = 8_000_000.0;

/// What is laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Cards in the list.
    pub n_cards: usize,
    /// Cards in a row.
    pub n_columns: usize,
    /// From the top of a row to the top of the next.
    pub row_px: f64,
    /// Height of the screen.
    pub viewport_px: f64,
}

/// The cards to draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// The first card.
    pub first: usize,
    /// One past the last.
    pub end: usize,
    /// Where the row of the first card stands, from the top of the list.
    pub top_px: f64,
}

impl Layout {
    /// Rows of the list.
    pub const fn n_rows(&self) -> usize {
        self.n_cards.div_ceil(self.n_columns)
    }

    fn natural_px(&self) -> f64 {
        self.n_rows() as f64 * self.row_px
    }

    /// Height of the list on the page.
    pub fn scroll_px(&self) -> f64 {
        self.natural_px().min(MAX_SCROLL_PX)
    }

    /// Pixels of the natural list that pass for one pixel of scrolling.
    fn scale(&self) -> f64 {
        let (natural, scroll) = (self.natural_px(), self.scroll_px());
        if natural <= scroll {
            1.0
        } else {
            (natural - self.viewport_px) / (scroll - self.viewport_px)
        }
    }

    /// The cards to draw where the list has been scrolled by `scrolled_px`, with `margin_rows` on each side.
    pub fn window(&self, scrolled_px: f64, margin_rows: usize) -> Window {
        let scrolled_px = scrolled_px.clamp(0.0, self.scroll_px());
        let natural_top_px = scrolled_px * self.scale();
        let first_row = ((natural_top_px / self.row_px) as usize)
            .min(self.n_rows().saturating_sub(1))
            .saturating_sub(margin_rows);
        let end_row = ((natural_top_px + self.viewport_px) / self.row_px).ceil() as usize + margin_rows;
        Window {
            first: first_row * self.n_columns,
            end: (end_row * self.n_columns).min(self.n_cards),
            top_px: first_row as f64 * self.row_px - natural_top_px + scrolled_px,
        }
    }

    /// How far to scroll so that the row of a card is the first on the screen.
    pub fn scrolled_to(&self, card_idx: usize) -> f64 {
        (card_idx / self.n_columns) as f64 * self.row_px / self.scale()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(n_cards: usize) -> Layout {
        Layout {
            n_cards,
            n_columns: 4,
            row_px: 250.0,
            viewport_px: 1000.0,
        }
    }

    #[test]
    fn a_short_list_is_laid_out_as_it_is() {
        let layout = layout(103);
        assert_eq!(layout.scroll_px(), 26.0 * 250.0);
        assert_eq!(
            layout.window(0.0, 1),
            Window {
                first: 0,
                end: 20,
                top_px: 0.0
            }
        );
        assert_eq!(
            layout.window(2_600.0, 1),
            Window {
                first: 36,
                end: 64,
                top_px: 2_250.0
            }
        );
        assert_eq!(layout.window(5_500.0, 1).end, 103);
        assert_eq!(layout.scrolled_to(41), 2_500.0);
    }

    #[test]
    fn every_card_of_a_long_list_can_be_reached() {
        let layout = layout(1_000_000);
        assert_eq!(layout.scroll_px(), MAX_SCROLL_PX);
        assert_eq!(layout.window(MAX_SCROLL_PX - 1000.0, 1).end, 1_000_000);
        for card_idx in [0, 4, 499_996, 999_000] {
            let scrolled = layout.scrolled_to(card_idx);
            let window = layout.window(scrolled, 1);
            assert!(
                (window.first..window.end).contains(&card_idx),
                "{card_idx}: {window:?}"
            );
            assert!((window.top_px - scrolled).abs() <= 500.0, "{window:?}");
        }
    }

    #[test]
    fn an_empty_list_has_no_window() {
        assert_eq!(
            layout(0).window(0.0, 2),
            Window {
                first: 0,
                end: 0,
                top_px: 0.0
            }
        );
    }
}
