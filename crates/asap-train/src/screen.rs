//! What a person sees while a run goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use asap_core::Reporter;
use asap_train::session::Progress;
use asap_train::telemetry::Record;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar with the numbers of the last step, and lines above it.
pub(crate) struct Screen {
    bar: ProgressBar,
    stopped: Arc<AtomicBool>,
}

impl Screen {
    /// Draws on stderr; Ctrl-C asks the run to end after its step, a second one ends it at once.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let bar = ProgressBar::no_length();
        bar.set_style(ProgressStyle::with_template(
            "{bar:24} {pos}/{len} [{elapsed_precise}, {eta_precise} left] {msg}",
        )?);
        let stopped = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stopped);
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            runtime.block_on(async {
                while tokio::signal::ctrl_c().await.is_ok() {
                    if asked.swap(true, Ordering::SeqCst) {
                        std::process::exit(130);
                    }
                }
            });
        });
        Ok(Self { bar, stopped })
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Screen {
    fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    fn record(&self, record: &Record, n_steps: u64) {
        match record {
            Record::Step(step) => {
                self.bar.set_length(n_steps);
                self.bar.set_position(step.step);
                self.bar.set_message(format!(
                    "loss {:.3e}  delta {:+.2e}  accuracy {:.2}  {:.2} s/step",
                    step.loss, step.delta, step.accuracy, step.seconds
                ));
            }
            Record::Eval(eval) => {
                let accuracy = eval
                    .accuracy()
                    .map_or("not computed".to_owned(), |share| format!("{share:.3}"));
                let delta = eval
                    .delta
                    .map_or("not computed".to_owned(), |delta| format!("{delta:+.2e}"));
                self.say(&format!(
                    "step {}: held-out accuracy {accuracy} ({} of {}), delta {delta}",
                    eval.step, eval.n_correct, eval.n
                ));
            }
            Record::Sampled(_) => {}
            Record::Note(note) => self.say(&format!("step {}: {}", note.step, note.text)),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

impl Reporter for Screen {
    fn start(&self, what: &str, total: u64) {
        self.bar.reset();
        self.bar.set_length(total);
        self.bar.set_position(0);
        self.bar.set_message(what.to_owned());
    }

    fn advance(&self, n: u64) {
        self.bar.inc(n);
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
