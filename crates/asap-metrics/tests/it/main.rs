//! Tests of the public interface.

mod golden;
mod images;
mod properties;
mod regions;
