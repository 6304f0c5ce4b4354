//! Prompts and dataset folders: they parse, have their card, and hold no images.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Findings, Violation};

const IMAGE_ENDS: [&str; 9] = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif"];

/// Rules about which files are there.
pub(super) fn check_tree(files: &[PathBuf]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut datasets = BTreeSet::new();
    for file in files {
        let Ok(inside) = file.strip_prefix("datasets") else {
            continue;
        };
        let name = file.to_string_lossy().replace('\\', "/");
        let mut findings = Findings::new(&name);
        if is_image(file) {
            findings.add(0, "images are built by a recipe and stay out of git");
        }
        found.extend(findings.found);
        if inside.components().count() > 1 {
            datasets.extend(
                inside
                    .components()
                    .next()
                    .map(|folder| folder.as_os_str().to_owned()),
            );
        }
    }
    for dataset in datasets {
        let folder = Path::new("datasets").join(dataset);
        // Numbers that others reported are the data themselves: there is nothing to build.
        let is_reported = files
            .iter()
            .any(|file| file.parent() == Some(&folder) && file.extension().is_some_and(|end| end == "json"));
        for needed in ["README.md", "recipe.toml"] {
            let is_needed = needed == "README.md" || !is_reported;
            if is_needed && !files.contains(&folder.join(needed)) {
                let name = folder.to_string_lossy().replace('\\', "/");
                let mut findings = Findings::new(&name);
                findings.add(0, format!("has no `{needed}`"));
                found.extend(findings.found);
            }
        }
    }
    found
}

fn is_image(file: &Path) -> bool {
    let end = file.extension().map(|end| end.to_string_lossy().to_lowercase());
    end.is_some_and(|end| IMAGE_ENDS.contains(&end.as_str()))
}

/// Rules about what these files hold.
pub(super) fn check_file(file: &str, text: &str) -> Vec<Violation> {
    let mut findings = Findings::new(file);
    let is_data = file.starts_with("prompts/") || file.starts_with("datasets/");
    if is_data
        && file.ends_with(".toml")
        && let Err(error) = text.parse::<toml::Table>()
    {
        let before = error
            .span()
            .map_or("", |span| text.get(..span.start).unwrap_or_default());
        findings.add(
            before.matches('\n').count() + 1,
            format!("does not parse: {}", error.message()),
        );
    }
    let is_card =
        file.starts_with("datasets/") && file.ends_with("/README.md") && file.matches('/').count() == 2;
    if is_card && let Err((line, problem)) = front_matter(text) {
        findings.add(line, problem);
    }
    findings.found
}

/// Checks the block of YAML that a dataset card begins with: there, closed, of `key: value` lines and lists, with
/// the keys that a reader of cards looks for.
fn front_matter(text: &str) -> Result<(), (usize, String)> {
    let mut lines = text.lines();
    if lines.next() != Some("---") {
        return Err((
            1,
            "a dataset card begins with `---` and a block of YAML".to_owned(),
        ));
    }
    let block: Vec<&str> = lines.take_while(|line| *line != "---").collect();
    if text.lines().skip(1).all(|line| line != "---") {
        return Err((1, "the block of YAML is not closed by `---`".to_owned()));
    }
    for (at, line) in block.iter().enumerate() {
        let is_entry = line.trim_start().starts_with("- ") || line.contains(": ") || line.ends_with(':');
        if line.contains('\t') || !(is_entry || line.trim().is_empty() || line.trim_start().starts_with('#'))
        {
            return Err((at + 2, format!("`{line}` is no line of YAML that a card has")));
        }
    }
    for key in ["license", "pretty_name", "tags"] {
        if !block
            .iter()
            .any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
        {
            return Err((1, format!("the card does not say `{key}`")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(names: &[&str]) -> Vec<String> {
        let files: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        check_tree(&files).iter().map(ToString::to_string).collect()
    }

    fn file(name: &str, text: &str) -> Vec<String> {
        check_file(name, text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_dataset_has_its_card_its_recipe_and_no_images() {
        assert_eq!(
            tree(&[
                "datasets/a/README.md",
                "datasets/a/recipe.toml",
                "datasets/README.md"
            ]),
            [""; 0]
        );
        assert_eq!(
            tree(&["datasets/a/README.md"]),
            ["datasets/a: has no `recipe.toml`"]
        );
        assert_eq!(tree(&["datasets/a/README.md", "datasets/a/table.json"]), [""; 0]);
        assert_eq!(
            tree(&["datasets/a/table.json"]),
            ["datasets/a: has no `README.md`"]
        );
        assert!(
            tree(&[
                "datasets/a/README.md",
                "datasets/a/recipe.toml",
                "datasets/a/x.PNG"
            ])[0]
                .starts_with("datasets/a/x.PNG: images")
        );
        assert_eq!(tree(&["docs/x.png"]), [""; 0]);
    }

    #[test]
    fn toml_that_does_not_parse_is_told_with_its_line() {
        assert_eq!(file("prompts/deep/a.toml", "a = 1\n"), [""; 0]);
        assert!(
            file("prompts/deep/a.toml", "a = 1\nb = \n")[0]
                .starts_with("prompts/deep/a.toml:2: does not parse")
        );
        assert!(file("datasets/a/recipe.toml", "a\n")[0].contains("does not parse"));
        assert_eq!(file("crates/a/x.toml", "a\n"), [""; 0]);
    }

    #[test]
    fn a_card_has_front_matter() {
        let card = "datasets/a/README.md";
        let good = "---\nlicense: mit\npretty_name: A\ntags:\n- image\n---\n# A\n";
        assert_eq!(file(card, good), [""; 0]);
        assert!(file(card, "# A\n")[0].contains("begins with `---`"));
        assert!(file(card, "---\nlicense: mit\n# A\n")[0].contains("not closed"));
        assert!(file(card, "---\nlicense mit\n---\n")[0].starts_with("datasets/a/README.md:2:"));
        assert!(file(card, "---\nlicense: mit\ntags:\n- a\n---\n")[0].contains("`pretty_name`"));
    }
}
