//! Tools that the workspace needs and a machine may lack: one file each, with `locate` (looks) and `ensure`
//! (gets).

pub(crate) mod bindgen;
pub(crate) mod browser;
pub(crate) mod postgres;
pub(crate) mod protoc;
pub(crate) mod torch;
pub(crate) mod wasm;
