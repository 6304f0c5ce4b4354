//! Several processes that train one model: torch's own process groups, started as torch starts them.
//!
//! `torchrun --no-python` or any launcher that sets torch's variables starts the processes; each reads its place
//! from them by [`Group::from_env`]. The collectives are libtorch's, so they are as fast as torch's.

mod env;
mod ffi;
mod group;
mod transport;

pub use env::Member;
pub use group::{Group, TIMEOUT};
pub use transport::Transport;

#[cfg(test)]
mod tests;
