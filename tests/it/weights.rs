//! `asap weights`: what is listed, converted, checked and pinned.

use crate::harness::{Sandbox, check};
use crate::made;

/// A sandbox with the weights of LPIPS over AlexNet, made up, in `weights`.
pub(crate) fn with_weights() -> Sandbox {
    let sandbox = Sandbox::new();
    fs_err::create_dir_all(sandbox.path("weights")).unwrap();
    made::write_lpips(&sandbox.path("weights"), "alex");
    sandbox
}

/// The folder of the files that torch wrote.
fn golden(name: &str) -> String {
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/asap-metrics/tests/golden/lpips"
    );
    format!("{golden}/{name}")
}

#[test]
fn the_list_says_what_is_there_and_where_the_rest_is() {
    let sandbox = with_weights();
    let listed = sandbox.json("weights list --weights weights");
    let of = |name: &str| {
        let all = listed.as_array().unwrap();
        all.iter()
            .find(|network| network["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (
            of("alexnet")["is_present"].clone(),
            of("vgg16")["is_present"].clone()
        ),
        (true.into(), false.into())
    );
    assert_eq!(of("lpips-alex")["licence"], "BSD-2-Clause");
    assert_eq!(of("vgg16")["sources"][0]["file"], "vgg16-397923af.pth");
    let text = sandbox.ok("weights list");
    assert!(
        text.contains("alexnet.safetensors") && text.contains("not pinned"),
        "{text}"
    );
    // Without a folder nothing is claimed.
    assert!(sandbox.json("weights list")[0]["is_present"].is_null());
}

#[test]
fn torch_files_are_converted() {
    let sandbox = Sandbox::new();
    for name in ["zip.pth", "legacy.pth"] {
        let converted = sandbox.json(&format!(
            "weights convert --from {} --to {name}.safetensors",
            golden(name)
        ));
        assert_eq!(converted["n_tensors"], 16, "{converted}");
        assert!(converted["network"].is_null() && converted["published_at"].is_null());
        assert!(sandbox.path(&format!("{name}.safetensors")).is_file());
    }
    check(
        &sandbox,
        "weights convert --from zip.pth.safetensors --to again.safetensors",
        "
        exit 1
        --- stderr
        error: weights `zip.pth.safetensors`: expected a file that `torch.save` wrote, got something else
        ",
    );
    sandbox.write("evil.pth", b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.");
    check(
        &sandbox,
        "weights convert --from evil.pth --to evil.safetensors",
        "
        exit 1
        --- stderr
        error: weights `evil.pth`: the pickle asks for `os.system`, which weights do not need; nothing in the file was run
        ",
    );
    assert!(!sandbox.path("evil.safetensors").exists());
}

#[test]
fn a_folder_is_checked_and_pinned() {
    let sandbox = with_weights();
    check(
        &sandbox,
        "weights check weights --pin",
        "
        exit 0
        --- stdout
        alexnet.safetensors: alexnet, not pinned
          SHA-256 [digest]
        lpips-alex.safetensors: lpips-alex, not pinned
          SHA-256 [digest]
        --- stderr
        pinned 2 files in `weights/weights.pins.toml`
        ",
    );
    let checked = sandbox.json("weights check weights");
    assert!(
        checked
            .as_array()
            .unwrap()
            .iter()
            .all(|file| file["is_pinned"] == true),
        "{checked}"
    );
    // The heads of another network under this name: told, and the exit code says so.
    made::write(
        &sandbox.path("weights/lpips-alex.safetensors"),
        &made::heads("vgg"),
    );
    let run = sandbox.asap("weights check weights");
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("wrong: SHA-256: expected"), "{}", run.stdout);
    assert!(
        run.stderr
            .starts_with("error: `weights`: 1 of 2 files cannot be used\n"),
        "{}",
        run.stderr
    );

    fs_err::create_dir_all(sandbox.path("empty")).unwrap();
    check(
        &sandbox,
        "weights check empty",
        "
        exit 1
        --- stderr
        error: `empty` holds no safetensors files
        hint: `asap weights list` says where weights are to be had, `asap weights convert` converts them
        ",
    );
}
