//! Progress bars with rate and time left, drawn on stderr when it is a terminal.

use std::sync::Mutex;
use std::time::Duration;

use asap_core::Reporter;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::printer::Printer;

/// Draws the progress that a library reports.
pub(crate) struct Progress {
    bar: Mutex<ProgressBar>,
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new(printer: Printer) -> Self {
        Self {
            bar: Mutex::new(ProgressBar::hidden()),
            is_shown: printer.shows_progress(),
        }
    }

    fn with_bar(&self, act: impl FnOnce(&mut ProgressBar)) {
        // A panic elsewhere must not hide itself behind a poisoned bar.
        let mut bar = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        act(&mut bar);
    }
}

impl Reporter for Progress {
    fn start(&self, what: &str, total: u64) {
        if !self.is_shown {
            return;
        }
        self.with_bar(|bar| {
            bar.finish_and_clear();
            *bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            bar.set_style(style());
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(500));
        });
    }

    fn advance(&self, n: u64) {
        self.with_bar(|bar| bar.inc(n));
    }

    fn finish(&self) {
        self.with_bar(|bar| bar.finish_and_clear());
    }
}

fn style() -> ProgressStyle {
    // The template is a constant that the test below parses; a bar without style is the worst case.
    ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar())
}

const TEMPLATE: &str = "{msg} {wide_bar} {pos}/{len} {per_sec} {eta} left";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_parses() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
