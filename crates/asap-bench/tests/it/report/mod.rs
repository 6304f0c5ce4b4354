//! Whole reports: made, made again, read, verified and tampered with.

mod fixture;
mod making;
mod verifying;
