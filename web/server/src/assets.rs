//! The style sheet, the icon and the client's files, each at an address with its hash.

use std::path::Path;
use std::sync::LazyLock;

use crate::cache::Blob;

/// The style sheet.
pub(crate) static CSS: LazyLock<Blob> = LazyLock::new(|| Blob::new(asap_app::CSS, "text/css; charset=utf-8"));
/// The icon.
pub(crate) static ICON: LazyLock<Blob> = LazyLock::new(|| Blob::new(asap_app::ICON_SVG, "image/svg+xml"));

/// The client's files, read once at the start.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) boot: Blob,
    pub(crate) glue: Blob,
    pub(crate) wasm: Blob,
}

impl Client {
    /// Reads `pkg/asap.js` and `pkg/asap_bg.wasm` of a folder.
    ///
    /// # Errors
    /// Where either cannot be read.
    pub fn read(site: &Path) -> std::io::Result<Self> {
        let pkg = site.join("pkg");
        let glue = Blob::new(
            fs_err::read(pkg.join("asap.js"))?,
            "text/javascript; charset=utf-8",
        );
        let wasm = Blob::new(fs_err::read(pkg.join("asap_bg.wasm"))?, "application/wasm");
        let boot = format!(
            "import init, {{ hydrate }} from \"/pkg/asap.js?h={}\";\n\
             await init({{ module_or_path: \"/pkg/asap_bg.wasm?h={}\" }});\nhydrate();\n",
            glue.sha256, wasm.sha256
        );
        Ok(Self {
            boot: Blob::new(boot, "text/javascript; charset=utf-8"),
            glue,
            wasm,
        })
    }
}

/// An address that changes with the bytes behind it.
pub(crate) fn hashed(path: &str, blob: &Blob) -> String {
    format!("{path}?h={}", blob.sha256)
}
