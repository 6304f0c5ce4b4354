//! Clients of judges and image generators over HTTP.
