//! How a library tells a binary what it is doing.

/// Receives the progress of long work. Binaries draw it; libraries only call it.
pub trait Reporter: Send + Sync {
    /// Work of `total` steps begins.
    fn start(&self, what: &str, total: u64);
    /// `n` more steps are done.
    fn advance(&self, n: u64);
    /// The work is over.
    fn finish(&self);
}

/// Tells nobody.
impl Reporter for () {
    fn start(&self, _what: &str, _total: u64) {}
    fn advance(&self, _n: u64) {}
    fn finish(&self) {}
}
