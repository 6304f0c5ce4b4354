//! Takes a crop apart and puts it together again: mattes, plates, strips, warps and seamless patches.

pub(crate) mod color_model;
pub(crate) mod components;
pub(crate) mod extend;
pub(crate) mod lab;
pub(crate) mod matte;
pub(crate) mod mls;
pub(crate) mod noise;
pub(crate) mod plate;
pub(crate) mod poisson;
pub(crate) mod strip;
