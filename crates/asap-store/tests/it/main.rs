//! Tests of the store through its public face.

mod basics;
mod disasters;
mod exchange;
mod fixture;
mod python;
mod scans;
