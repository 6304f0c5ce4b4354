//! What a person sees while a run goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use asap_core::Reporter;
use asap_train::session::Progress;
use asap_train::telemetry::Record;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar with the numbers of the last step, and lines above it.
pub(crate) struct Screen {
    bar: ProgressBar,
    /// The exit code of the signal that asked for an end; 0 before that.
    stopped: Arc<AtomicU8>,
}

/// What a shell gives for a program that ended on Ctrl-C, and on SIGTERM.
const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

impl Screen {
    /// Draws on stderr; Ctrl-C, or SIGTERM as job schedulers send it, asks the run to end after its step, a second
    /// one ends it at once.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let bar = ProgressBar::no_length();
        bar.set_style(ProgressStyle::with_template(
            "{bar:24} {pos}/{len} [{elapsed_precise}, {eta_precise} left] {msg}",
        )?);
        let stopped = Arc::new(AtomicU8::new(0));
        let asked = Arc::clone(&stopped);
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            runtime.block_on(listen(&asked));
        });
        Ok(Self { bar, stopped })
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The exit code of a run that ended before its last step. In a group the signal may have reached another
    /// process alone.
    pub(crate) fn stopped_code(&self) -> u8 {
        match self.stopped.load(Ordering::SeqCst) {
            0 => TERMINATED,
            code => code,
        }
    }
}

/// Notes the first signal that asks for an end, and ends the process on the second.
async fn listen(asked: &AtomicU8) {
    let note = |code: u8| {
        if asked.swap(code, Ordering::SeqCst) != 0 {
            std::process::exit(i32::from(code));
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        loop {
            tokio::select! {
                _ = interrupt.recv() => note(INTERRUPTED),
                _ = terminate.recv() => note(TERMINATED),
            }
        }
    }
    #[cfg(not(unix))]
    while tokio::signal::ctrl_c().await.is_ok() {
        note(INTERRUPTED);
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
        self.stopped.load(Ordering::SeqCst) != 0
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
