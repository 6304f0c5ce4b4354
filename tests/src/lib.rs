//! Black-box tests of the whole toolkit. There is nothing here: the tests are in `it/`, one binary, which
//! runs the `asap` command as a user would. `python/` and `golden/` hold scripts of other readers.
