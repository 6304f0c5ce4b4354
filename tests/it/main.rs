//! Tests from the outside: a real browser.

mod browser;
