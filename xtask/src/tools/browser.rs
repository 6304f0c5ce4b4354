//! Chromium and its driver, for the browser tests.

use std::env;
use std::path::PathBuf;

use crate::shell::{self, Lost};

const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];

/// A browser that WebDriver steers.
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) driver: PathBuf,
}

pub(crate) fn locate() -> Option<Browser> {
    let chromium =
        given("ASAP_CHROMIUM").or_else(|| first(&["chromium", "chromium-browser", "google-chrome"]))?;
    let driver = given("ASAP_CHROMEDRIVER").or_else(|| first(&["chromedriver"]))?;
    Some(Browser { chromium, driver })
}

pub(crate) fn ensure() -> Result<Browser, Lost> {
    if let Some(found) = locate() {
        return Ok(found);
    }
    let because = match shell::apt_install(&PACKAGES) {
        Ok(()) => match locate() {
            Some(found) => return Ok(found),
            None => "the installed packages have no `chromium` and `chromedriver`".to_owned(),
        },
        Err(reason) => format!("there is no Chromium with its driver and {reason}"),
    };
    Err(Lost::new("browser tests", because, get()))
}

/// The command that gets it.
pub(crate) fn get() -> String {
    format!("sudo apt-get install {}", PACKAGES.join(" "))
}

fn given(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| shell::is_program(path))
}

fn first(names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| shell::which(name))
}
