//! What a program sets once, before it computes: CUDA's libraries, threads, repeatability; and how much memory it
//! takes, and how fast its device is.

mod library;
mod memory;
mod speed;
mod switches;

pub(crate) use library::nccl_library;
pub use library::{has_nccl, open_libraries};
pub use memory::{DeviceMemory, device_memory, process_peak_bytes};
pub use speed::matrix_flop_per_s;
pub use switches::{set_deterministic, set_threads};
