//! Manifests: heavy libraries and their owners, inherited lints and versions, reasons.

use toml::{Table, Value};

use super::{Findings, Violation};

/// Heavy libraries by the beginning of their names, and the members that may name them. Their types stay
/// inside these crates.
const OWNERS: [(&str, &[&str]); 14] = [
    ("lance", &["asap-store"]),
    ("arrow", &["asap-store"]),
    ("parquet", &["asap-store"]),
    ("datafusion", &["asap-store"]),
    ("candle", &["asap-metrics"]),
    ("ort", &["asap-vision"]),
    ("reqwest", &["asap-remote"]),
    ("sqlx", &["asap-arena"]),
    ("tch", &["asap-diffusion"]),
    ("torch-sys", &["asap-diffusion"]),
    ("clap", &["asap-cli", "asap-train"]),
    ("indicatif", &["asap-cli", "asap-train"]),
    ("leptos", &["asap-app", "asap-client", "asap-server"]),
    ("axum", &["asap-server"]),
];

/// Dependencies that stand in a member's manifest with their own version, as nobody else will use them.
const OWN_VERSION: [(&str, &str); 1] = [("xtask", "protoc-bin-vendored")];

/// A line of a dependency section.
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) is_for_tests: bool,
    /// Only for wasm.
    is_for_wasm: bool,
    inherits: bool,
}

pub(super) fn check(file: &str, text: &str) -> Vec<Violation> {
    let mut findings = Findings::new(file);
    let manifest = match text.parse::<Table>() {
        Ok(manifest) => manifest,
        Err(error) => {
            findings.add(0, format!("does not parse: {}", error.message()));
            return findings.found;
        }
    };
    let Some(name) = package_name(&manifest) else {
        findings.add(0, "has no package name");
        return findings.found;
    };
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"))
        .and_then(Value::as_bool);
    if lints != Some(true) {
        findings.add(0, "does not inherit the lints: `[lints]` with `workspace = true`");
    }
    for dependency in dependencies(&manifest) {
        check_dependency(name, &dependency, text, &mut findings);
    }
    findings.found
}

fn check_dependency(name: &str, dependency: &Dependency, text: &str, findings: &mut Findings<'_>) {
    let on = dependency.name.as_str();
    let line = line_of(text, on);
    if !dependency.inherits && !OWN_VERSION.contains(&(name, on)) {
        findings.add(
            line,
            format!("`{on}` has its own version; the root manifest has all versions"),
        );
    }
    if name == "asap-client" && !dependency.is_for_wasm {
        findings.add(
            line,
            format!("`{on}` must be for wasm only, or the host build turns on `hydrate`"),
        );
    }
    let Some(owners) = owners(on) else { return };
    if !owners.contains(&name) {
        findings.add(line, format!("`{on}` belongs to {}", owners.join(", ")));
    }
    if !has_reason(text, line) {
        findings.add(
            line,
            format!("`{on}` is heavy: the line above says why it is needed"),
        );
    }
}

fn owners(dependency: &str) -> Option<&'static [&'static str]> {
    let is = |library: &str| {
        let rest = dependency.strip_prefix(library);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    };
    OWNERS
        .iter()
        .find(|(library, _)| is(library))
        .map(|(_, owners)| *owners)
}

/// A comment stands above the line, or above the heavy lines right above it: one reason may serve a family.
fn has_reason(text: &str, line: usize) -> bool {
    let above = text.lines().take(line.saturating_sub(1)).collect::<Vec<_>>();
    let is_heavy = |line: &&&str| owners(line.split(['.', ' ', '=']).next().unwrap_or_default()).is_some();
    above
        .iter()
        .rev()
        .find(|line| !is_heavy(line))
        .is_some_and(|line| line.trim_start().starts_with('#'))
}

pub(super) fn package_name(manifest: &Table) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()
}

/// All dependencies of all sections, those of single targets too.
pub(super) fn dependencies(manifest: &Table) -> Vec<Dependency> {
    let mut found = sections(manifest, false);
    let targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flatten();
    for (target, section) in targets {
        if let Some(section) = section.as_table() {
            found.extend(sections(
                section,
                target.contains("wasm32") && !target.contains("not("),
            ));
        }
    }
    found
}

fn sections(table: &Table, is_for_wasm: bool) -> Vec<Dependency> {
    let mut found = Vec::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, value) in table.get(section).and_then(Value::as_table).into_iter().flatten() {
            let inherits = value.get("workspace").and_then(Value::as_bool) == Some(true);
            let is_for_tests = section == "dev-dependencies";
            found.push(Dependency {
                name: name.clone(),
                is_for_tests,
                is_for_wasm,
                inherits,
            });
        }
    }
    found
}

/// The line, from 1, on which the dependency stands; 0 where it is written in another form.
pub(super) fn line_of(text: &str, dependency: &str) -> usize {
    let names = |line: &str| {
        let rest = line.trim_start().strip_prefix(dependency);
        rest.is_some_and(|rest| rest.trim_start().starts_with(['.', '=']))
    };
    text.lines().position(names).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[package]\nname = \"asap-store\"\n[lints]\nworkspace = true\n[dependencies]\n";

    fn found(text: &str) -> Vec<String> {
        check("Cargo.toml", text)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_manifest_as_it_should_be_passes() {
        let text = format!(
            "{HEAD}# The tables.\narrow.workspace = true\nlance = {{ workspace = true }}\nserde.workspace = true\n"
        );
        assert_eq!(found(&text), Vec::<String>::new());
    }

    #[test]
    fn a_heavy_library_in_a_strange_crate_is_told() {
        assert_eq!(
            found(&format!("{HEAD}# Why.\naxum-extra.workspace = true\n")),
            ["Cargo.toml:7: `axum-extra` belongs to asap-server"]
        );
        // Only whole words of a name count.
        assert_eq!(
            found(&format!("{HEAD}orthography.workspace = true\n")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_heavy_library_needs_its_reason() {
        let text = format!("{HEAD}serde.workspace = true\nlance.workspace = true\n");
        assert_eq!(
            found(&text),
            ["Cargo.toml:7: `lance` is heavy: the line above says why it is needed"]
        );
    }

    #[test]
    fn versions_stand_in_the_root() {
        let text = format!("{HEAD}serde = \"1\"\n");
        assert_eq!(
            found(&text),
            ["Cargo.toml:6: `serde` has its own version; the root manifest has all versions"]
        );
    }

    #[test]
    fn lints_are_inherited() {
        assert!(found("[package]\nname = \"asap-core\"\n")[0].contains("does not inherit the lints"));
        assert!(found("[package\n")[0].contains("does not parse"));
    }

    #[test]
    fn the_client_depends_on_nothing_on_the_host() {
        let head = "[package]\nname = \"asap-client\"\n[lints]\nworkspace = true\n";
        let wasm = "[target.'cfg(target_arch = \"wasm32\")'.dependencies]\nasap-app.workspace = true\n";
        assert_eq!(found(&format!("{head}{wasm}")), Vec::<String>::new());
        let host = "[dependencies]\nasap-app.workspace = true\n";
        assert!(found(&format!("{head}{host}"))[0].contains("must be for wasm only"));
        let inverse =
            "[target.'cfg(not(target_arch = \"wasm32\"))'.dependencies]\nasap-app.workspace = true\n";
        assert!(found(&format!("{head}{inverse}"))[0].contains("must be for wasm only"));
    }
}
