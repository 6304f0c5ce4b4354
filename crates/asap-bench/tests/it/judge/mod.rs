//! Runs and judges, with judges that answer as a test wants it.

mod asking;
mod batches;
mod fixture;
mod going_on;
mod importing;
mod pairs;
mod protocols;
mod runs;
