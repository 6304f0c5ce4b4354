//! One file for each kind of answer.

pub(crate) mod api;
pub(crate) mod images;
pub(crate) mod pages;
pub(crate) mod site;
