//! Which crate may use which: the table of ARCHITECTURE.md.

use super::{Findings, Violation};

/// Every member of the workspace and the members that it may use. A new crate comes with a line here.
const ARROWS: [(&str, &[&str]); 16] = [
    ("asap-core", &[]),
    ("asap-store", &["asap-core"]),
    ("asap-metrics", &["asap-core"]),
    // It measures the pairs that it builds.
    ("asap-synth", &["asap-core", "asap-metrics"]),
    ("asap-vision", &["asap-core"]),
    ("asap-remote", &["asap-core"]),
    ("asap-bench", &["asap-core"]),
    ("asap-arena", &["asap-core", "asap-bench"]),
    ("asap-diffusion", &["asap-core"]),
    ("asap-train", &["asap-core", "asap-store", "asap-diffusion"]),
    (
        "asap-cli",
        &[
            "asap-core",
            "asap-store",
            "asap-metrics",
            "asap-synth",
            "asap-vision",
            "asap-remote",
            "asap-bench",
            "asap-arena",
            "asap-server",
        ],
    ),
    ("asap-app", &["asap-core"]),
    ("asap-client", &["asap-app"]),
    (
        "asap-server",
        &[
            "asap-app",
            "asap-core",
            "asap-store",
            "asap-metrics",
            "asap-bench",
            "asap-arena",
        ],
    ),
    // Black-box tests call the binary; fixtures and expectations are made by the library, and the browser looks
    // at a server over made-up pairs.
    (
        "asap-tests",
        &[
            "asap-arena",
            "asap-core",
            "asap-store",
            "asap-synth",
            "asap-metrics",
            "asap-remote",
            "asap-server",
        ],
    ),
    ("xtask", &[]),
];

/// What tests of a crate may use besides: (crate, member).
const IN_TESTS_ALSO: [(&str, &str); 0] = [];

pub(super) fn check(file: &str, text: &str) -> Vec<Violation> {
    let mut findings = Findings::new(file);
    let Ok(manifest) = text.parse::<toml::Table>() else {
        return findings.found;
    };
    let Some(name) = super::manifests::package_name(&manifest) else {
        return findings.found;
    };
    let Some((_, allowed)) = ARROWS.iter().find(|(member, _)| *member == name) else {
        findings.add(
            0,
            format!("`{name}` has no line in the table of arrows (xtask/src/tidy/arrows.rs)"),
        );
        return findings.found;
    };
    for dependency in super::manifests::dependencies(&manifest) {
        let is_member = ARROWS.iter().any(|(member, _)| *member == dependency.name);
        let is_fine = allowed.contains(&dependency.name.as_str())
            || dependency.is_for_tests && IN_TESTS_ALSO.contains(&(name, dependency.name.as_str()));
        if is_member && !is_fine {
            let line = super::manifests::line_of(text, &dependency.name);
            findings.add(line, format!("`{name}` may not use `{}`", dependency.name));
        }
    }
    findings.found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check("Cargo.toml", text)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn arrows_that_are_drawn_pass() {
        let text =
            "[package]\nname = \"asap-cli\"\n[dependencies]\nasap-store.workspace = true\nserde = \"1\"\n";
        assert_eq!(found(text), Vec::<String>::new());
    }

    #[test]
    fn siblings_never_meet_not_even_in_tests_or_for_one_target() {
        let head = "[package]\nname = \"asap-store\"\n";
        let line = "asap-synth.workspace = true\n";
        for section in [
            "[dependencies]",
            "[dev-dependencies]",
            "[target.'cfg(unix)'.dependencies]",
        ] {
            assert_eq!(
                found(&format!("{head}{section}\n{line}")),
                ["Cargo.toml:4: `asap-store` may not use `asap-synth`"]
            );
        }
    }

    #[test]
    fn a_crate_without_a_line_is_told() {
        assert!(found("[package]\nname = \"asap-new\"\n")[0].contains("has no line"));
    }
}
