//! Hostile uploads are made here and must be refused in one line, soon, and without much memory.

use std::io::{Cursor, Write as _};
use std::time::Instant;

use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use tar::{EntryType, Header};
use zip::write::SimpleFileOptions;

use super::*;
use crate::blob::sha256;
use crate::manifest::testing::{MODEL, prompts, row};

fn png(side: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(side, side, |x, y| Rgb([x as u8, y as u8, 9]));
    encoded(&picture.into(), ImageFormat::Png)
}

fn encoded(picture: &image::DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn manifest_for(files: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let rows = files
        .iter()
        .map(|(prompt, file, bytes)| row(prompt, 0, file, sha256(bytes)));
    std::iter::once(MODEL.to_owned())
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
        .into_bytes()
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

/// An entry whose name and kind the builder would not write.
fn tar_with(name: &[u8], kind: EntryType) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend([0; 1024]);
    bytes
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn look(bytes: &[u8], limits: &Limits) -> Result<(Manifest, Vec<(String, Picture)>), Refusal> {
    let mut kept = Vec::new();
    let manifest = examine(bytes, &prompts(), limits, &mut |name, picture| {
        kept.push((name.to_owned(), picture));
        Ok(())
    })?;
    Ok((manifest, kept))
}

fn refused(bytes: &[u8]) -> String {
    let began = Instant::now();
    let line = look(bytes, &Limits::STANDARD).unwrap_err().to_string();
    assert!(!line.contains('\n'), "{line}");
    assert!(
        began.elapsed().as_secs() < 20,
        "{line} took {:?}",
        began.elapsed()
    );
    line
}

#[test]
fn tar_and_zip_bring_the_same_images() {
    let (one, two) = (png(8), png(9));
    let manifest = manifest_for(&[("one", "a/1.png", &one), ("two", "2.png", &two)]);
    let long = format!("{}/2.png", "x".repeat(150));
    let long_manifest = manifest_for(&[("one", "a/1.png", &one), ("two", &long, &two)]);
    for archive in [
        tar_of(&[(manifest::FILE, &manifest), ("./a/1.png", &one), ("2.png", &two)]),
        tar_of(&[("a/1.png", &one), (&long, &two), (manifest::FILE, &long_manifest)]),
        zip_of(&[("a/1.png", &one), ("2.png", &two), (manifest::FILE, &manifest)]),
    ] {
        let (manifest, kept) = look(&archive, &Limits::STANDARD).unwrap();
        assert_eq!((manifest.images.len(), kept.len()), (2, 2));
        assert_eq!(kept[0].1.original, sha256(&one));
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../x.png",
        "/etc/passwd",
        "a/../../x",
        "a\\b",
        "C:x",
        "a//b",
        "\u{202e}gnp.x",
        "a\nb",
    ] {
        let line = refused(&tar_with(name.as_bytes(), EntryType::Regular));
        assert!(line.contains("a relative name"), "{line}");
        let line = refused(&zip_of(&[(name, b"")]));
        assert!(line.contains("a relative name"), "{line}");
    }
    let line = refused(&tar_of(&[(&"n".repeat(300), b"")]));
    assert!(line.contains("a relative name of up to 200"), "{line}");
}

#[test]
fn links_devices_and_pipes_are_refused() {
    for (kind, got) in [
        (EntryType::Symlink, "a symbolic link"),
        (EntryType::Link, "a hard link"),
        (EntryType::Char, "a device"),
        (EntryType::Block, "a device"),
        (EntryType::Fifo, "a pipe"),
        (EntryType::GNUSparse, "a sparse file"),
    ] {
        let line = refused(&tar_with(b"x.png", kind));
        assert_eq!(line, format!("entry `x.png`: expected a file, got {got}"));
    }
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("x.png", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    let line = refused(&zip.finish().unwrap().into_inner());
    assert_eq!(line, "entry `x.png`: expected a file, got a symbolic link");
}

#[test]
fn bombs_are_refused_before_they_unfold() {
    // 60 MB of zeros become 60 kB.
    let line = refused(&zip_of(&[("x.png", &vec![0; 60 << 20])]));
    assert!(line.contains("expected at most"), "{line}");
    // A header that promises an exabyte.
    let mut header = Header::new_gnu();
    header.set_path("x.png").unwrap();
    header.set_size(1 << 60);
    header.set_cksum();
    let line = refused(header.as_bytes());
    assert_eq!(
        line,
        "entry `x.png`: expected at most 67108864 bytes, got 1152921504606846976 bytes"
    );
    // A name that is a gigabyte long.
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 30);
    header.set_cksum();
    let line = refused(header.as_bytes());
    assert!(line.contains("a header of 1073741824 bytes"), "{line}");
    // 5001 folders.
    let folders = tar_with(b"d", EntryType::Directory)[..512].repeat(5_001);
    let line = refused(&folders);
    assert!(line.contains("more than 5000 entries"), "{line}");
}

#[test]
fn the_zip_that_lies_about_its_size_is_refused() {
    let mut zip = zip_of(&[("x.png", &vec![0; 50_000])]);
    // The size of the file, in the list at the end.
    let list = zip
        .windows(4)
        .rposition(|window| window == b"PK\x01\x02")
        .unwrap();
    zip[list + 24..list + 28].copy_from_slice(&10_u32.to_le_bytes());
    let line = refused(&zip);
    assert!(line.contains("`x.png`"), "{line}");
}

#[test]
fn what_is_doubled_or_cut_is_refused() {
    let one = png(8);
    let line = refused(&tar_of(&[("x.png", &one), ("./x.png", &one)]));
    assert_eq!(
        line,
        "entry `x.png`: expected each name once, got a second of that name"
    );
    // The writer refuses a second name, so it is written over.
    let mut zip = zip_of(&[("x.png", &one), ("y.png", &one)]);
    while let Some(at) = zip.windows(5).position(|window| window == b"y.png") {
        zip[at] = b'x';
    }
    let line = refused(&zip);
    assert!(line.contains("a name twice"), "{line}");

    let manifest = manifest_for(&[("one", "1.png", &one), ("two", "2.png", &one)]);
    let files: [(&str, &[u8]); 3] = [(manifest::FILE, &manifest), ("1.png", &one), ("2.png", &one)];
    for whole in [tar_of(&files), zip_of(&files)] {
        look(&whole, &Limits::STANDARD).unwrap();
        let end = if whole.starts_with(b"PK") {
            whole.len()
        } else {
            whole.len() - 1024
        };
        for cut in (0..end).step_by(97).chain((512..end).step_by(512)) {
            assert!(
                look(&whole[..cut], &Limits::STANDARD).is_err(),
                "cut at {cut} of {}",
                whole.len()
            );
        }
    }
    assert!(refused(&[0x1f, 0x8b, 8, 0, 0]).contains("gunzip"));
    assert!(refused(b"").contains("0 bytes"));
}

#[test]
fn only_images_that_are_whole_small_and_opaque_are_taken() {
    let limits = Limits::STANDARD;
    let told = |bytes: &[u8]| decode("x.png", bytes, &limits).unwrap_err().to_string();
    let whole = png(64);
    assert!(told(&whole[..whole.len() / 2]).contains("a whole image"));
    assert!(told(b"<svg xmlns='http://www.w3.org/2000/svg'/>").contains("something else"));
    let gif = b"GIF89a\x01\0\x01\0\0\0\0;";
    assert!(told(gif).contains("Gif"));
    let glass = RgbaImage::from_pixel(4, 4, Rgba([0, 0, 0, 254])).into();
    assert!(told(&encoded(&glass, ImageFormat::Png)).contains("transparent"));

    // A header that says 60000 x 60000, with its own checksum: nothing of that size may be allocated.
    let mut huge = png(8);
    huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let mut crc = 0xffff_ffff_u32;
    for byte in &huge[12..29] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    huge[29..33].copy_from_slice(&(!crc).to_be_bytes());
    assert_eq!(
        told(&huge),
        "entry `x.png`: expected at most 4096 x 4096 and 16777216 pixels, got 60000 x 60000"
    );
}

#[test]
fn what_is_stored_has_the_pixels_and_nothing_else() {
    let picture = image::DynamicImage::from(RgbImage::from_fn(8, 6, |x, y| Rgb([x as u8, y as u8, 9])));
    let plain = encoded(&picture, ImageFormat::Png);
    // A text chunk after the header: what generators write their parameters into.
    let mut told = plain[..33].to_vec();
    let chunk = b"tEXtparameters\0steps: 28, model: secret";
    told.extend(u32::try_from(chunk.len() - 4).unwrap().to_be_bytes());
    told.extend(chunk);
    // The crate does not look at checksums of chunks that it skips, or it refuses: both are fine, it must not keep it.
    let mut crc = 0xffff_ffff_u32;
    for byte in chunk {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    told.extend((!crc).to_be_bytes());
    told.extend(&plain[33..]);
    let stored = decode("x", &told, &Limits::STANDARD).unwrap();
    assert!(!stored.png.windows(6).any(|window| window == b"secret"));
    assert_eq!(stored.original, sha256(&told));
    assert_eq!(
        image::load_from_memory(&stored.png).unwrap().to_rgb8(),
        picture.to_rgb8()
    );
    assert_eq!((stored.width_px, stored.height_px), (8, 6));
    let webp = decode("x", &encoded(&picture, ImageFormat::WebP), &Limits::STANDARD).unwrap();
    assert_eq!(webp.png, stored.png, "lossless formats give the same file");
    decode("x", &encoded(&picture, ImageFormat::Jpeg), &Limits::STANDARD).unwrap();
}

#[test]
fn files_and_manifest_must_agree() {
    let (one, two) = (png(8), png(9));
    let manifest = manifest_for(&[("one", "1.png", &two), ("two", "2.png", &two)]);
    let archive = tar_of(&[(manifest::FILE, &manifest), ("1.png", &one), ("3.png", &two)]);
    let told = look(&archive, &Limits::STANDARD).unwrap_err().to_string();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(lines[0].starts_with("line 2: `sha256`: expected"), "{told}");
    assert_eq!(
        lines[1],
        "line 3: `file`: expected `2.png` in the upload, got none"
    );
    assert_eq!(
        lines[2],
        "`images`: expected files that are listed only, got `3.png`"
    );
    assert!(refused(&tar_of(&[("1.png", &one)])).contains("expected a manifest"));
}

#[test]
fn time_and_bytes_of_the_whole_end_too() {
    let one = png(8);
    let archive = tar_of(&[("1.png", &one)]);
    let none = Limits {
        time: Duration::ZERO,
        ..Limits::STANDARD
    };
    assert!(
        look(&archive, &none)
            .unwrap_err()
            .to_string()
            .contains("too long")
    );
    let few = Limits {
        archive_bytes: 600,
        ..Limits::STANDARD
    };
    assert!(
        look(&archive, &few)
            .unwrap_err()
            .to_string()
            .contains("more bytes")
    );
    let little = Limits {
        total_bytes: 10,
        ..Limits::STANDARD
    };
    assert!(
        look(&archive, &little)
            .unwrap_err()
            .to_string()
            .contains("at most 10 bytes")
    );
}

#[tokio::test]
async fn work_that_takes_too_long_is_given_up() {
    let slow = in_turn(Duration::from_millis(20), || {
        std::thread::sleep(Duration::from_millis(300));
        Ok(1)
    });
    assert!(slow.await.unwrap_err().to_string().contains("takes more than"));
    assert_eq!(in_turn(Duration::from_secs(5), || Ok(2)).await.unwrap(), 2);
}
