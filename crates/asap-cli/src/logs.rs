//! Logs to stderr. Without `-v` and `RUST_LOG` only what went wrong is logged.

use tracing_subscriber::EnvFilter;

use crate::args::GlobalArgs;

/// Starts logging for the rest of the run.
pub(crate) fn start(global: &GlobalArgs) {
    let preset = match global.verbose {
        0 => "error",
        1 => {
            "warn,asap=info,asap_bench=info,asap_core=info,asap_metrics=info,asap_remote=info,asap_server=info,\
             asap_store=info,asap_synth=info"
        }
        2 => {
            "info,asap=debug,asap_bench=debug,asap_metrics=debug,asap_remote=debug,asap_server=debug,\
             asap_store=debug,asap_synth=debug"
        }
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(preset));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
