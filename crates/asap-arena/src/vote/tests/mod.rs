//! Voting as a whole, on both databases.

mod attacks;
mod fixture;
mod overlap;
mod rules;
