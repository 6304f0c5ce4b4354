//! Thumbnails of the images that a report shows, and what is known of each.

use std::io::Cursor;
use std::path::{Component, Path, PathBuf};

use asap_core::Sha256;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use serde::{Deserialize, Serialize};

use super::gallery::Picture;
use crate::judge::Evidence;
use crate::run::Run;

/// The longer side of a thumbnail: sharp at the size of the page on a fine screen.
const THUMBNAIL_PX: u32 = 400;
const JPEG_QUALITY: u8 = 84;

/// A small copy of an image, inside the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thumbnail {
    /// The file, relative to the report.
    pub file: String,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A line of `images.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureFile {
    /// Which image.
    pub picture: Picture,
    /// Its small copy; `None` where the image is no longer the one that was judged, or does not decode.
    pub thumbnail: Option<Thumbnail>,
    /// The original, relative to the report; `None` where there is no such way.
    pub original: Option<String>,
    /// The prompt.
    pub prompt: Option<String>,
    /// What the judge gave as its reason.
    pub said: Option<String>,
}

/// A file to be written, by its name relative to the report.
pub(super) type FileBytes = (String, Vec<u8>);

/// Looks up a picture in its run and makes its thumbnail.
pub(super) fn picture_file(
    picture: &Picture,
    run: Option<&Run>,
    said: Option<String>,
    out: &Path,
) -> (PictureFile, Option<FileBytes>) {
    let mut file = PictureFile {
        picture: picture.clone(),
        thumbnail: None,
        original: None,
        prompt: None,
        said,
    };
    let Some(run) = run else {
        return (file, None);
    };
    file.prompt = run.prompt(&picture.prompt_id).map(|prompt| prompt.prompt.clone());
    let entry = run
        .image(&picture.prompt_id, picture.seed)
        .filter(|entry| entry.sha256 == picture.sha256);
    let Some(entry) = entry else {
        return (file, None);
    };
    file.original = relative(out, &run.image_path(entry));
    let made = run.image_bytes(entry).ok().and_then(|image| shrink(&image.bytes));
    let Some((bytes, width, height)) = made else {
        return (file, None);
    };
    let name = thumbnail_name(&picture.sha256);
    file.thumbnail = Some(Thumbnail {
        file: name.clone(),
        width,
        height,
    });
    (file, Some((name, bytes)))
}

fn thumbnail_name(sha256: &Sha256) -> String {
    format!("images/{}.jpg", &sha256.to_string()[..16])
}

fn shrink(bytes: &[u8]) -> Option<(Vec<u8>, u32, u32)> {
    let image = image::load_from_memory(bytes).ok()?;
    let longer = image.width().max(image.height());
    let image = if longer > THUMBNAIL_PX {
        image.resize(THUMBNAIL_PX, THUMBNAIL_PX, FilterType::CatmullRom)
    } else {
        image
    };
    let rgb = image.to_rgb8();
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .encode_image(&rgb)
        .ok()?;
    Some((jpeg.into_inner(), rgb.width(), rgb.height()))
}

/// The way from a folder to a file as a relative address; `None` where there is none.
fn relative(folder: &Path, file: &Path) -> Option<String> {
    let from = absolute(folder)?;
    let to = absolute(file)?;
    let common = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    // Without a common root, as on two drives, there is no relative way.
    if common == 0 {
        return None;
    }
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = to.components().skip(common).map(|part| match part {
        Component::Normal(name) => Some(url_part(&name.to_string_lossy())),
        _ => None,
    });
    let parts: Option<Vec<String>> = up.map(Some).chain(down).collect();
    Some(parts?.join("/"))
}

/// The path without links, as far as it exists.
fn absolute(path: &Path) -> Option<PathBuf> {
    if let Ok(found) = fs_err::canonicalize(path) {
        return Some(found);
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    Some(absolute_parent(parent)?.join(path.file_name()?))
}

fn absolute_parent(path: &Path) -> Option<PathBuf> {
    match fs_err::canonicalize(path) {
        Ok(found) => Some(found),
        Err(_) => Some(absolute_parent(path.parent()?)?.join(path.file_name()?)),
    }
}

/// A name as part of an address: what has a meaning there is written by its bytes.
fn url_part(name: &str) -> String {
    let mut part = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            part.push(char::from(byte));
        } else {
            part.push_str(&format!("%{byte:02X}"));
        }
    }
    part
}

/// A judge's reason in one short line: what it wrote, else the defects that it listed.
pub(super) fn said(evidence: &Evidence) -> Option<String> {
    let reason = evidence.reason.clone().filter(|reason| !reason.trim().is_empty());
    let defects = || {
        let listed: Vec<String> = evidence
            .defects
            .iter()
            .map(|defect| format!("{}: {}", defect.body_part, defect.evidence))
            .collect();
        (!listed.is_empty()).then(|| listed.join("; "))
    };
    let text = reason.or_else(defects)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let short: String = line.chars().take(280).collect();
    Some(if short.len() < line.len() {
        format!("{short}…")
    } else {
        line
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_relative_and_escaped() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("runs/a b/ü#1.png");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "x").unwrap();
        let report = dir.path().join("out/report");
        assert_eq!(
            relative(&report, &file).as_deref(),
            Some("../../runs/a%20b/%C3%BC%231.png")
        );
        std::fs::create_dir_all(&report).unwrap();
        assert_eq!(
            relative(&report, &file).as_deref(),
            Some("../../runs/a%20b/%C3%BC%231.png")
        );
    }
}
