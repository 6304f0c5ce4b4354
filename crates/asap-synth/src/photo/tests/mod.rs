//! Tests of the whole path from files to pairs, on pictures made by code and, where they are there, on
//! photographs.

mod build;
mod ingest;
mod operators;
mod painted;
mod poses;
