//! Samples of the base model and of the tuned one, side by side.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::canvas::escape;
use crate::telemetry::{Record, SampleImage, Sampled, Telemetry};

/// Up to this size together, pictures are part of the page, so that it can be sent alone; larger ones stay files of
/// the run.
const EMBEDDED_BYTES: usize = 8 << 20;

/// What was drawn before and after.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Samples {
    steps: [u64; 2],
    rows: Vec<Sample>,
}

#[derive(Clone, Debug, PartialEq)]
struct Sample {
    prompt: String,
    seed: u64,
    /// Before and after: the address of the picture, or nothing where it is gone.
    addresses: [Option<String>; 2],
}

impl Samples {
    /// The first and the last drawing of a run, the same prompts and seeds beside each other.
    pub(super) fn of(root: &Path, telemetry: &Telemetry) -> Self {
        let drawn: Vec<&Sampled> = telemetry
            .records
            .iter()
            .filter_map(|record| match record {
                Record::Sampled(sampled) => Some(sampled),
                _ => None,
            })
            .collect();
        let [Some(before), Some(after)] = [drawn.first(), drawn.last()] else {
            return Self::default();
        };
        if before.step == after.step {
            return Self::default();
        }
        let mut left_bytes = EMBEDDED_BYTES;
        let mut rows = Vec::new();
        for image in &after.images {
            let same = |other: &&SampleImage| other.prompt == image.prompt && other.seed == image.seed;
            if let Some(first) = before.images.iter().find(same) {
                rows.push(Sample {
                    prompt: image.prompt.clone(),
                    seed: image.seed,
                    addresses: [first, image].map(|image| address(root, &image.file, &mut left_bytes)),
                });
            }
        }
        Self {
            steps: [before.step, after.step],
            rows,
        }
    }

    /// The pictures; empty text where there are none.
    pub(super) fn html(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let names = self.steps.map(|step| match step {
            0 => "before".to_owned(),
            step => format!("after step {step}"),
        });
        let mut html = "<ul class=\"pictures\">\n".to_owned();
        for row in &self.rows {
            html.push_str("<li><div class=\"two\">");
            for (name, address) in names.iter().zip(&row.addresses) {
                let picture = match address {
                    Some(address) => format!(
                        "<img src=\"{}\" alt=\"{}, {name}\">",
                        escape(address),
                        escape(&row.prompt)
                    ),
                    None => "<span class=\"gone\">the file is gone</span>".to_owned(),
                };
                _ = write!(html, "<div>{picture}<span>{name}</span></div>");
            }
            _ = writeln!(
                html,
                "</div><p>{} <span>seed {}</span></p></li>",
                escape(&row.prompt),
                row.seed
            );
        }
        html.push_str("</ul>\n");
        html
    }
}

/// Where the page finds a picture. A name from the telemetry must not lead out of the run.
fn address(root: &Path, file: &str, left_bytes: &mut usize) -> Option<String> {
    let is_inside = Path::new(file)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if !is_inside {
        return None;
    }
    let bytes = std::fs::read(root.join(file)).ok()?;
    if bytes.len() > *left_bytes {
        return Some(format!("../{file}"));
    }
    *left_bytes -= bytes.len();
    Some(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pictures_stay_files_of_the_run() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.png"), b"abc").unwrap();
        let mut left_bytes = 5;
        let addresses = [0, 1].map(|_| address(dir.path(), "a.png", &mut left_bytes).unwrap());
        assert_eq!(addresses, ["data:image/png;base64,YWJj", "../a.png"]);
        assert_eq!(address(dir.path(), "/etc/hostname", &mut left_bytes), None);
    }
}
