//! Ctrl-C: the first one asks for an orderly end, the second one ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Knows whether the user wants the run to end.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C from now on. Must be called inside a runtime.
    pub(crate) fn listen() -> Self {
        let flag = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&flag);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_err() {
                return;
            }
            seen.store(true, Ordering::Relaxed);
            crate::printer::to_stderr("stopping after what is under way; Ctrl-C again stops at once");
            if tokio::signal::ctrl_c().await.is_ok() {
                // The shell's convention for a program that SIGINT ended.
                std::process::exit(130);
            }
        });
        Self(flag)
    }

    /// Asks for an orderly end from within the program.
    pub(crate) fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
