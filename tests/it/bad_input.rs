//! Input that is broken, strange or hostile: each gets one clear line that names it and the way out, the
//! run goes on where it can, and nothing written before is lost.

use std::path::{Path, PathBuf};
use std::process::Command;

use image::{DynamicImage, RgbImage};
use serde_json::{Value, json};

use crate::harness::people::{PERSON, poses};
use crate::harness::{Sandbox, check, images, jpeg};
use crate::synth::{ids, person_folder};

/// Puts `bytes` beside a good photograph; gives the reason for which they are refused, if they are.
#[track_caller]
fn refusal(name: &str, bytes: &[u8]) -> Option<String> {
    let sandbox = Sandbox::new();
    person_folder(&sandbox);
    sandbox.write(&format!("people/{name}"), bytes);
    sandbox.write(
        "people/people.json",
        poses([PERSON.entry("person.png"), PERSON.entry(name)]),
    );
    let run = sandbox.asap("synth photos people --pairs-per-part 1 --out a.lance");
    assert_eq!(run.code, Some(0), "the run goes on\n{}", run.snapshot());
    assert!(!ids(&sandbox, "a.lance").is_empty());
    if run.stderr.is_empty() {
        return None;
    }
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    let reason = run.stderr.trim_end().strip_prefix(&format!("refused `{name}`: "));
    Some(reason.unwrap_or_else(|| panic!("`{}`", run.stderr)).to_owned())
}

#[track_caller]
fn refused(name: &str, bytes: &[u8], expected: &str) {
    assert_eq!(refusal(name, bytes).as_deref(), Some(expected));
}

#[test]
fn a_truncated_jpeg() {
    let whole = jpeg::plain(&PERSON.image);
    refused(
        "cut.jpg",
        &whole[..whole.len() / 2],
        "it is cut off before its end; copy it again",
    );
}

#[test]
fn a_truncated_png() {
    let whole = images::png(PERSON.image.clone());
    refused(
        "cut.png",
        &whole[..whole.len() / 2],
        "it is cut off before its end; copy it again",
    );
    refused(
        "head.png",
        &whole[..20],
        "its header is broken or cut off; copy it again or save it anew",
    );
}

#[test]
fn a_file_of_zero_bytes() {
    refused("zero.jpg", b"", "the file is empty; copy it again");
}

#[test]
fn a_file_that_is_no_picture() {
    refused(
        "notes.jpg",
        b"Dear diary, this is not a photograph.",
        "it is not a picture of a known format; expected PNG, JPEG, WebP or GIF",
    );
}

#[test]
fn an_animation() {
    refused(
        "dance.gif",
        &images::animation(&images::pattern(64, 48)),
        "it has 2 frames, expected a still image; export the frame that you want",
    );
}

#[test]
fn a_header_that_promises_too_much() {
    let expected = "its header says 60000x60000 pixels, at most 16384 a side and 64 megapixels are read; \
                    scale it down first";
    let small = images::pattern(64, 48);
    refused(
        "huge.jpg",
        &jpeg::with_header_size(jpeg::plain(&small), 60_000, 60_000),
        expected,
    );
    refused(
        "huge.png",
        &images::png_with_header_size(images::png(small), 60_000, 60_000),
        expected,
    );
}

#[test]
fn a_cmyk_jpeg() {
    refused(
        "print.jpg",
        &jpeg::cmyk(&PERSON.image),
        "it is a CMYK JPEG, expected RGB or grey; convert it to sRGB first",
    );
}

#[test]
fn every_colour_type_of_png_is_taken() {
    let person = DynamicImage::from(PERSON.image.clone());
    assert_eq!(refusal("grey.png", &images::png(person.to_luma8())), None);
    assert_eq!(refusal("grey16.png", &images::png(person.to_luma16())), None);
    assert_eq!(refusal("rgb16.png", &images::png(person.to_rgb16())), None);
    assert_eq!(refusal("alpha.png", &images::png(person.to_rgba8())), None);
}

#[test]
fn alpha_is_laid_on_white() {
    let sandbox = Sandbox::new();
    let mut image = DynamicImage::from(PERSON.image.clone()).into_rgba8();
    image.put_pixel(0, 0, image::Rgba([10, 20, 30, 0]));
    let preferred = preferred_of(&sandbox, "clear.png", &images::png(image));
    assert_eq!(preferred.get_pixel(0, 0).0, [255, 255, 255]);
    assert_eq!(preferred.get_pixel(9, 9), PERSON.image.get_pixel(9, 9));
}

#[test]
fn a_turned_jpeg_is_put_upright() {
    let sandbox = Sandbox::new();
    // Orientation 6: the camera was held so that the picture must be turned right to be seen upright.
    let lying = image::imageops::rotate270(&PERSON.image);
    let preferred = preferred_of(&sandbox, "turned.jpg", &jpeg::with_orientation(&lying, 6));
    assert_eq!(preferred.dimensions(), PERSON.image.dimensions());
    let difference: u64 = preferred
        .as_raw()
        .iter()
        .zip(PERSON.image.as_raw())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    let mean = difference as f64 / preferred.as_raw().len() as f64;
    assert!(mean < 6.0, "not the same picture: {mean} grey levels apart");
}

/// The preferred image of the first pair that is made of `bytes`.
fn preferred_of(sandbox: &Sandbox, name: &str, bytes: &[u8]) -> RgbImage {
    sandbox.write(&format!("people/{name}"), bytes);
    sandbox.write("people/people.json", poses([PERSON.entry(name)]));
    sandbox.ok("synth photos people --pairs-per-part 1 --out a.lance");
    let id = ids(sandbox, "a.lance").pop_first().unwrap();
    sandbox.ok(&format!("data show a.lance {id} --images out"));
    image::open(sandbox.path("out/preferred.png"))
        .unwrap()
        .into_rgb8()
}

/// Runs on a folder with one photograph and a poses file that is `text`.
fn with_poses(text: &str) -> (Sandbox, &'static str) {
    let sandbox = Sandbox::new();
    person_folder(&sandbox);
    sandbox.write("people/people.json", text);
    (sandbox, "synth photos people --pairs-per-part 1 --out a.lance")
}

#[test]
fn keypoints_outside_the_frame_do_no_harm() {
    let entry = PERSON.entry_changed("person.png", |idx, [x, y, score]| match idx {
        // The right hand, far outside on three sides.
        112..118 => json!([x + 5000.0, y, score]),
        118..124 => json!([x, -y - 4000.0, score]),
        124..133 => json!([-1e30, y, score]),
        _ => json!([x, y, score]),
    });
    let (sandbox, line) = with_poses(&poses([entry]));
    let run = sandbox.asap(line);
    assert_eq!(run.code, Some(0), "{}", run.snapshot());
    assert_eq!(sandbox.asap("data verify a.lance").code, Some(0));
    assert!(!ids(&sandbox, "a.lance").is_empty());
}

#[test]
fn a_keypoint_that_is_not_a_number_refuses_its_photograph() {
    for (axis, name) in ["x", "y", "score"].iter().enumerate() {
        let entry = PERSON.entry_changed("person.png", |idx, point| {
            let mut point = point.map(Value::from);
            if idx == 7 {
                point[axis] = Value::from("the word");
            }
            point.to_vec().into()
        });
        // JSON has no such number, but writers such as Python's emit the bare word.
        let text = poses([entry]).replace("\"the word\"", "NaN");
        let (sandbox, line) = with_poses(&text);
        check(
            &sandbox,
            line,
            &format!(
                "
                exit 1
                --- stderr
                refused `person.png`: `people[0].keypoints[7]` has a {name} that is not a finite number; write score 0 for a point that was not found
                error: no photograph to use in `people`
                hint: put JPEG, PNG or WebP files there, and keypoints or boxes of them in `people.json` (or name the file after `--poses`)
                "
            ),
        );
        assert!(!sandbox.path("a.lance").exists());
    }
}

#[test]
fn a_poses_file_that_does_not_parse() {
    let (sandbox, line) = with_poses("{ \"images\": [");
    let run = sandbox.asap(line);
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.stderr,
        "error: cannot parse `people/people.json`: EOF while parsing a list at line 1 column 13\n"
    );
    let run = sandbox.asap(&format!("{line} --poses people/none.json"));
    assert_eq!(
        run.stderr,
        "error: no poses file `people/none.json`\nhint: name a JSON file with keypoints or boxes after `--poses`\n"
    );
}

#[test]
fn a_place_that_cannot_be_written() {
    let sandbox = Sandbox::new();
    sandbox.write("file.txt", "mine");
    for out in ["file.txt", "file.txt/a.lance", "/proc/a.lance"] {
        let run = sandbox.asap(&format!("synth figures --n 2 --size 256 --out {out}"));
        assert_eq!(run.code, Some(1), "{}", run.snapshot());
        assert!(run.stderr.contains(&format!("`{out}")), "{}", run.stderr);
        assert!(run.stderr.lines().count() <= 2, "{}", run.stderr);
    }
    assert_eq!(sandbox.read("file.txt"), b"mine");
}

#[test]
fn a_read_only_disk_can_be_read_and_says_so_when_written() {
    let sandbox = Sandbox::new();
    let Some(disk) = Disk::mount(&sandbox, "disk", "64m") else {
        return;
    };
    sandbox.ok("synth figures --n 2 --size 256 --out disk/a.lance");
    let before = ids(&sandbox, "disk/a.lance");
    disk.remount_read_only();
    let run = sandbox.asap("synth figures --n 2 --size 256 --out disk/a.lance");
    assert_eq!(run.code, Some(1), "{}", run.snapshot());
    assert_eq!(
        run.stderr,
        "error: `disk/a.lance/writer.lock` cannot be written: check its permissions, or choose another place\n"
    );
    assert_eq!(ids(&sandbox, "disk/a.lance"), before);
    assert_eq!(sandbox.asap("data verify disk/a.lance").code, Some(0));
}

#[test]
fn a_full_disk_keeps_what_was_written() {
    let sandbox = Sandbox::new();
    let Some(_disk) = Disk::mount(&sandbox, "disk", "4m") else {
        return;
    };
    sandbox.ok("synth figures --n 2 --size 256 --out disk/a.lance");
    let before = ids(&sandbox, "disk/a.lance");
    let run = sandbox.asap("synth figures --n 200 --size 512 --out disk/a.lance");
    assert_eq!(run.code, Some(1), "{}", run.snapshot());
    // Which table meets the end of the disk depends on how large the pictures happen to be.
    let told = ["positives", "pairs", "assessments"].map(|table| {
        format!(
            "error: no space left on the disk of `disk/a.lance/{table}.lance`: free some and run the same command \
             again, what was written before is kept\n"
        )
    });
    assert!(told.contains(&run.stderr), "{}", run.stderr);
    assert!(ids(&sandbox, "disk/a.lance").is_superset(&before));
    assert_eq!(sandbox.asap("data verify disk/a.lance").code, Some(0));
}

#[test]
fn a_dataset_from_a_newer_program_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.ok("synth figures --n 2 --size 256 --out a.lance");
    let entries = files_below(&sandbox.path("a.lance/versions"));
    for path in &entries {
        let mut entry: Value = serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap();
        entry["schema"] = json!(99);
        fs_err::write(path, entry.to_string()).unwrap();
    }
    let before = contents(&sandbox, "a.lance");
    for line in [
        "data stats a.lance",
        "curate a.lance",
        "synth figures --n 2 --size 256 --out a.lance",
    ] {
        check(
            &sandbox,
            line,
            "
            exit 1
            --- stderr
            error: `a.lance` has schema version 99, this program knows versions up to 1: get a newer `asap`
            ",
        );
    }
    assert_eq!(contents(&sandbox, "a.lance"), before);
}

#[test]
fn a_damaged_dataset_is_named() {
    let sandbox = Sandbox::new();
    sandbox.ok("synth figures --n 2 --size 256 --out a.lance");
    let data = files_below(&sandbox.path("a.lance/pairs.lance/data"));
    let file = data
        .iter()
        .find(|path| path.extension().is_some_and(|end| end == "lance"))
        .unwrap();
    let bytes = fs_err::read(file).unwrap();
    fs_err::write(file, &bytes[..bytes.len() / 2]).unwrap();
    let run = sandbox.asap("data verify a.lance");
    assert_eq!(run.code, Some(1), "{}", run.snapshot());
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(
        run.stderr.contains(name) && run.stderr.contains("is damaged"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_folder_that_is_no_dataset() {
    let sandbox = Sandbox::new();
    sandbox.write("folder/holiday.txt", "sun");
    check(
        &sandbox,
        "data stats folder",
        "
        exit 1
        --- stderr
        error: `folder` is not a HAP dataset: it has no finished version
        ",
    );
    check(
        &sandbox,
        "synth figures --n 2 --size 256 --out folder",
        "
        exit 1
        --- stderr
        error: `folder` exists already: open it, or choose another name
        ",
    );
    assert_eq!(files_below(&sandbox.path("folder")).len(), 1);
}

/// Every file below a folder, in the order of the names.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path))
        } else {
            files.push(path)
        }
    }
    files.sort();
    files
}

/// The bytes of every file of a dataset.
fn contents(sandbox: &Sandbox, dataset: &str) -> Vec<(PathBuf, Vec<u8>)> {
    files_below(&sandbox.path(dataset))
        .into_iter()
        .map(|path| (path.clone(), fs_err::read(path).unwrap()))
        .collect()
}

/// A small disk of its own.
struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts it, or says why it cannot be.
    fn mount(sandbox: &Sandbox, name: &str, size: &str) -> Option<Self> {
        let path = sandbox.path(name);
        fs_err::create_dir(&path).unwrap();
        let option = format!("size={size}");
        let mounted = mount(&["-t", "tmpfs", "-o", &option, "tmpfs"], &path);
        if !mounted {
            println!("skipped: mounting a small disk needs root and `mount`");
            return None;
        }
        Some(Self { path })
    }

    fn remount_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], &self.path));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(&self.path).status();
    }
}

fn mount(args: &[&str], path: &Path) -> bool {
    Command::new("mount")
        .args(args)
        .arg(path)
        .output()
        .is_ok_and(|output| output.status.success())
}
