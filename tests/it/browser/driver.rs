//! Chromium, its driver and a server, each started for one test and stopped after it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use asap_server::source::sample;
use asap_server::{Client, State, serve_on};
use fantoccini::elements::Element;
use fantoccini::{ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;

/// Pairs of the dataset: three pages of the plain grid.
pub(super) const N_PAIRS: usize = 120;
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the browser runs scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scripts {
    /// As most readers have it.
    On,
    /// Switched off in the browser's settings.
    Off,
}

/// What the environment gives.
pub(super) struct Equipment {
    chromium: PathBuf,
    driver: PathBuf,
    site: Option<PathBuf>,
}

impl Equipment {
    /// `None`, after a line that says why, where something is absent and nobody requires it.
    pub(super) fn find(scripts: Scripts) -> Result<Option<Self>> {
        let get = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let missing = |name: &str| {
            let required = std::env::var("ASAP_REQUIRE").unwrap_or_default();
            if required.split(',').any(|item| item.trim() == "browser") {
                bail!("`{name}` is not set, and `ASAP_REQUIRE` names `browser`");
            }
            eprintln!("skipped: a browser test needs `{name}`");
            Ok(None)
        };
        let Some(chromium) = get("ASAP_CHROMIUM") else {
            return missing("ASAP_CHROMIUM");
        };
        let Some(driver) = get("ASAP_CHROMEDRIVER") else {
            return missing("ASAP_CHROMEDRIVER");
        };
        let site = get("ASAP_SITE");
        if site.is_none() && scripts == Scripts::On {
            return missing("ASAP_SITE");
        }
        Ok(Some(Self {
            chromium,
            driver,
            site,
        }))
    }
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A browser on a served dataset.
pub(super) struct Session {
    pub(super) client: fantoccini::Client,
    base: String,
    _driver: Running,
    _profile: TempDir,
}

impl Session {
    pub(super) async fn start(equipment: &Equipment, scripts: Scripts) -> Result<Self> {
        let base = format!("http://{}", serve(equipment).await?);
        let (driver, port) = start_driver(equipment)?;
        let profile = tempfile::tempdir()?;
        let mut options = json!({
            "binary": equipment.chromium,
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
                "--disable-background-networking", "--disable-sync", "--force-prefers-reduced-motion",
                "--window-size=1360,900", format!("--user-data-dir={}", profile.path().display()),
            ],
        });
        if scripts == Scripts::Off {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("the driver does not start a browser")?;
        Ok(Self {
            client,
            base,
            _driver: driver,
            _profile: profile,
        })
    }

    pub(super) async fn open(&self, path: &str) -> Result<()> {
        self.client.goto(&format!("{}{path}", self.base)).await?;
        Ok(())
    }

    /// Waits until the page has come to life.
    pub(super) async fn live(&self) -> Result<()> {
        self.find("html[data-live]")
            .await
            .map(drop)
            .context("the page does not come to life")
    }

    /// The first element of a selector, as soon as there is one.
    pub(super) async fn find(&self, css: &str) -> Result<Element> {
        let wait = self.client.wait().at_most(PATIENCE);
        wait.for_element(Locator::Css(css))
            .await
            .with_context(|| format!("no `{css}` on the page"))
    }

    /// Clicks the link of that text.
    pub(super) async fn follow(&self, text: &str) -> Result<()> {
        let link = self
            .client
            .find(Locator::LinkText(text))
            .await
            .with_context(|| format!("no link `{text}`"))?;
        Ok(link.click().await?)
    }

    /// Presses keys that no field has asked for.
    pub(super) async fn press(&self, keys: &str) -> Result<()> {
        Ok(self.find("body").await?.send_keys(keys).await?)
    }

    /// The address, once it contains the text.
    pub(super) async fn address_with(&self, part: &str) -> Result<String> {
        self.until(&format!("an address with `{part}`"), async || {
            Ok(Some(self.client.current_url().await?.to_string()).filter(|url| url.contains(part)))
        })
        .await
    }

    /// The text of the main heading, once it is another than `earlier`.
    pub(super) async fn heading_other_than(&self, earlier: &str) -> Result<String> {
        self.until("another heading", async || {
            Ok(Some(self.find("h1").await?.text().await?).filter(|text| text != earlier))
        })
        .await
    }

    /// Asks until there is an answer.
    pub(super) async fn until<T>(&self, what: &str, ask: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
        for _ in 0..PATIENCE.as_millis() / 100 {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!(
            "waited in vain for {what} at {}",
            self.client.current_url().await?
        )
    }

    /// Keeps a picture of the page where somebody wants it.
    pub(super) async fn screenshot(&self, name: &str) -> Result<()> {
        let Some(folder) = std::env::var_os("ASAP_ARTEFACTS").map(PathBuf::from) else {
            return Ok(());
        };
        fs_err::create_dir_all(&folder)?;
        let png = self.client.screenshot().await?;
        fs_err::write(folder.join(format!("browser-{name}.png")), png)?;
        Ok(())
    }

    pub(super) async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }
}

async fn serve(equipment: &Equipment) -> Result<SocketAddr> {
    let client = equipment.site.as_deref().map(Client::read).transpose()?;
    let state = State::new(Arc::new(sample(N_PAIRS)), client).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move { serve_on(listener, state).await });
    Ok(addr)
}

/// Starts the driver on a port of its choice, which it prints.
fn start_driver(equipment: &Equipment) -> Result<(Running, u16)> {
    let mut driver = Command::new(&equipment.driver)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start `{}`", equipment.driver.display()))?;
    let stdout = driver.stdout.take().context("the driver's output is piped")?;
    let running = Running(driver);
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next().transpose()? {
        if let Some((_, rest)) = line.split_once("started successfully on port ") {
            let port = rest.trim_end_matches('.').parse()?;
            // Whatever it prints later must go somewhere, or it blocks.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok((running, port));
        }
    }
    bail!("`{}` ended without saying its port", equipment.driver.display())
}
