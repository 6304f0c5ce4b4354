//! Tests of the public interface.

mod golden;
mod images;
mod preparation;
mod properties;
mod regions;
mod scorer_files;
mod scorers;
