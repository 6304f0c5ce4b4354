//! Hostile and damaged files of weights, folders, pins.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use asap_metrics::weights::{Fault, PINS_FILE, SafeFile, TorchFile, Weights, WeightsDir, network};
use asap_metrics::{Error, Lpips, LpipsNet};

use crate::made;

#[track_caller]
fn fault(error: Error) -> Fault {
    match error {
        Error::Weights { fault, .. } => *fault,
        other => panic!("not about weights: {other}"),
    }
}

/// A torch file in the old format around a pickle of the object.
fn legacy(object: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    bytes.extend(b"\x80\x02M\xe9\x03.");
    bytes.extend(b"\x80\x02}.");
    bytes.extend(object);
    bytes.extend(rest);
    bytes
}

/// A torch file in the zip format around a pickle.
fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in entries {
        zip.start_file(*name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn open(bytes: &[u8]) -> Result<TorchFile, Fault> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.pth");
    std::fs::write(&path, bytes).unwrap();
    TorchFile::open(&path).map_err(fault)
}

/// A pickle of `{"w": tensor}` whose tensor has the given size and strides in a storage of `n` elements.
fn one_tensor(n: u32, offset: i32, sizes: &[i32], strides: &[i32]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((".to_vec();
    pickle.extend(b"X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ");
    pickle.extend(n.to_le_bytes());
    pickle.extend(b"tQJ");
    pickle.extend(offset.to_le_bytes());
    for numbers in [sizes, strides] {
        pickle.push(b'(');
        for number in numbers {
            pickle.push(b'J');
            pickle.extend(number.to_le_bytes());
        }
        pickle.push(b't');
    }
    pickle.extend(b"\x89}tRs.");
    pickle
}

/// The list of the one storage, its size and as many zeros.
fn one_storage(n: u64, n_floats: usize) -> Vec<u8> {
    let mut bytes = b"\x80\x02]X\x01\x00\x00\x000a.".to_vec();
    bytes.extend(n.to_le_bytes());
    bytes.extend(vec![0; n_floats * 4]);
    bytes
}

#[test]
fn a_hand_made_file_is_read() {
    let whole = open(&legacy(&one_tensor(6, 0, &[2, 3], &[3, 1]), &one_storage(6, 6))).unwrap();
    assert_eq!(
        (whole.tensors()[0].name.as_str(), &whole.tensors()[0].shape),
        ("w", &vec![2, 3])
    );
    let pickle = one_tensor(6, 0, &[2, 3], &[3, 1]);
    let zip = zipped(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 24])]);
    assert_eq!(open(&zip).unwrap().tensors(), whole.tensors());
}

#[test]
fn what_a_pickle_may_not_ask_for_is_refused() {
    for (module, name) in [
        ("os", "system"),
        ("builtins", "eval"),
        ("torch", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("collections", "Counter"),
        ("FloatStorage", "FloatStorage"),
    ] {
        let pickle = format!("\u{2}c{module}\n{name}\nX\u{2}\0\0\0ls\u{85}R.");
        let mut bytes = vec![0x80];
        bytes.extend(pickle.chars().map(|c| c as u32 as u8));
        let expected = Fault::UnknownGlobal {
            module: module.to_owned(),
            name: name.to_owned(),
        };
        assert_eq!(open(&legacy(&bytes, b"")).unwrap_err(), expected);
        assert_eq!(open(&zipped(&[("a/data.pkl", &bytes)])).unwrap_err(), expected);
        // By the other instruction for names.
        let mut stacked = b"\x80\x04".to_vec();
        for text in [module, name] {
            stacked.push(0x8c);
            stacked.push(text.len() as u8);
            stacked.extend(text.bytes());
        }
        stacked.extend(b"\x93.");
        assert_eq!(open(&legacy(&stacked, b"")).unwrap_err(), expected);
    }
    // INST, OBJ, DUP, EXT1 and protocol 5's buffers.
    for opcode in [b'i', b'o', b'2', 0x82, 0x97] {
        let found = open(&legacy(&[0x80, 2, opcode, b'.'], b"")).unwrap_err();
        assert_eq!(found, Fault::UnknownOpcode { opcode, at: 2 });
    }
}

#[test]
fn pickles_that_break_the_rules_are_refused() {
    for (pickle, what) in [
        (&b"."[..], "the stack is empty"),
        (b"\x80\x02t.", "there is no mark"),
        (b"\x80\x02(a.", "the stack is empty"),
        (b"\x80\x02h\x07.", "a value that was never remembered"),
        (b"\x80\x02NNs.", "the stack is empty"),
        (
            b"\x80\x02NNNs.",
            "items for something that is no list or dictionary",
        ),
        (
            b"\x80\x02}(Nu.",
            "items for something that is no list or dictionary",
        ),
        (
            b"\x80\x02ccollections\nOrderedDict\nNR.",
            "a call of something that cannot be called",
        ),
        (b"\x80\x02N)R.", "a call of something that cannot be called"),
        (
            b"\x80\x02ctorch\nFloatStorage\n)R.",
            "a call of something that cannot be called",
        ),
        (
            b"\x80\x02ccollections\nOrderedDict\nN\x85R.",
            "a dictionary of something that is no pairs",
        ),
        (
            b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.",
            "a tensor without storage, offset, size and strides",
        ),
        (
            b"\x80\x02ctorch._utils\n_rebuild_parameter\n)R.",
            "a parameter without a tensor",
        ),
        (b"\x80\x02NQ.", "a reference that is no tuple"),
        (
            b"\x80\x02)Q.",
            "a reference to something that is no whole storage",
        ),
        (b"\x80\x02NNb.", "state for something that has none"),
        (b"\x80\x02X\x01\x00\x00\x00\xff.", "a text that is not UTF-8"),
        (b"\x80\x02cos", "a name without an end"),
        (
            b"\x80\x02\x8a\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00.",
            "an integer of more than 16 bytes",
        ),
    ] {
        match open(&legacy(pickle, b"")).unwrap_err() {
            Fault::Pickle { what: found, .. } => assert_eq!(found, what),
            other => panic!("expected `{what}`, got `{other}`"),
        }
    }
    // A text and a list that say they are longer than the file.
    let huge = open(&legacy(b"\x80\x02X\xff\xff\xff\xff", b"")).unwrap_err();
    assert!(
        matches!(
            huge,
            Fault::Truncated {
                expected_bytes: 0xffff_ffff,
                ..
            }
        ),
        "{huge}"
    );
    assert!(matches!(
        open(&legacy(b"\x80\x02(", b"")).unwrap_err(),
        Fault::Truncated { .. }
    ));
    // Something that is no dictionary, and one without tensors.
    assert!(matches!(
        open(&legacy(b"\x80\x02K\x01.", b"\x80\x02].")).unwrap_err(),
        Fault::Format { .. }
    ));
    assert_eq!(
        open(&legacy(b"\x80\x02}.", b"\x80\x02].")).unwrap_err(),
        Fault::NoTensors
    );
}

#[test]
fn cycles_and_bombs_end_soon() {
    // A dictionary that holds itself.
    let cycle = legacy(b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.", b"\x80\x02].");
    assert!(matches!(
        open(&cycle).unwrap_err(),
        Fault::Limit {
            what: "depth of dictionaries",
            ..
        }
    ));
    // Dictionaries that hold the next one twenty times.
    let mut bomb = b"\x80\x02}q\x00".to_vec();
    for level in 1..9_u8 {
        bomb.extend(b"}q");
        bomb.push(level);
        for entry in 0..20 {
            bomb.extend([b'K', entry, b'h', level - 1, b's']);
        }
    }
    bomb.push(b'.');
    assert!(matches!(
        open(&legacy(&bomb, b"\x80\x02].")).unwrap_err(),
        Fault::Limit { .. }
    ));
    // A list of pairs that is copied into dictionary after dictionary.
    let mut copies = b"\x80\x02]q\x00(".to_vec();
    for _ in 0..10_000 {
        copies.extend(b"NN\x86");
    }
    copies.push(b'e');
    for _ in 0..1_000 {
        copies.extend(b"ccollections\nOrderedDict\nh\x00\x85R");
    }
    copies.push(b'.');
    let copied = open(&legacy(&copies, b"\x80\x02].")).unwrap_err();
    assert!(
        matches!(
            copied,
            Fault::Limit {
                what: "pairs copied by a pickle",
                ..
            }
        ),
        "{copied}"
    );
    // A tuple in a tuple in a tuple: costs no stack.
    let mut deep = b"\x80\x02)".to_vec();
    deep.extend(vec![0x85; 1_000_000]);
    deep.push(b'.');
    assert!(matches!(
        open(&legacy(&deep, b"\x80\x02].")).unwrap_err(),
        Fault::Format { .. }
    ));
    // More instructions than any network needs.
    let mut long = b"\x80\x02".to_vec();
    long.extend(vec![b'N'; 3_000_000]);
    assert!(matches!(
        open(&legacy(&long, b"")).unwrap_err(),
        Fault::Limit { .. }
    ));
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let refused = |n, offset, sizes: &[i32], strides: &[i32]| {
        let pickle = one_tensor(n, offset, sizes, strides);
        let fault = open(&legacy(&pickle, &one_storage(n.into(), n.min(100) as usize))).unwrap_err();
        let zip = zipped(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 24])]);
        assert_eq!(open(&zip).unwrap_err(), fault);
        fault.to_string()
    };
    let does_not_fit = "does not fit its storage of 6 elements";
    assert!(refused(6, 0, &[7], &[1]).contains(does_not_fit));
    assert!(refused(6, 1, &[2, 3], &[3, 1]).contains(does_not_fit));
    assert!(refused(6, 0, &[2], &[6]).contains(does_not_fit));
    // Strides of 0 make much of little.
    assert!(refused(6, 0, &[1000, 1000], &[0, 0]).contains(does_not_fit));
    assert!(refused(6, 0, &[i32::MAX; 4], &[0; 4]).contains("too many elements"));
    assert!(refused(6, 0, &[-1], &[1]).contains("no natural number"));
    assert!(refused(6, -1, &[1], &[1]).contains("a negative offset"));
    assert!(refused(6, 0, &[2, 3], &[1]).contains("more sizes than strides"));
    assert!(refused(6, 0, &[1; 9], &[1; 9]).contains("dimensions of a tensor"));
    // An empty one may say what it likes.
    let empty = legacy(
        &one_tensor(6, i32::MAX, &[0, 5], &[i32::MAX; 2]),
        &one_storage(6, 6),
    );
    let file = open(&empty).unwrap();
    assert_eq!(file.tensors()[0].n_bytes(), 0);
}

#[test]
fn storages_must_be_there_and_whole() {
    let pickle = one_tensor(6, 0, &[6], &[1]);
    let cut = open(&legacy(&pickle, &one_storage(6, 5))).unwrap_err();
    assert!(
        matches!(
            cut,
            Fault::Truncated {
                expected_bytes: 24,
                got_bytes: 20,
                ..
            }
        ),
        "{cut}"
    );
    let huge = open(&legacy(&pickle, &one_storage(u64::MAX, 6))).unwrap_err();
    assert!(
        matches!(
            huge,
            Fault::Truncated {
                expected_bytes: u64::MAX,
                ..
            }
        ),
        "{huge}"
    );
    let other = open(&legacy(&pickle, &one_storage(5, 5))).unwrap_err();
    assert!(
        other
            .to_string()
            .contains("should have 6 elements of 4 bytes, and has 20 bytes"),
        "{other}"
    );
    let none = open(&legacy(&pickle, b"\x80\x02].")).unwrap_err();
    assert!(
        none.to_string().contains("its storage `0` is not in the file"),
        "{none}"
    );
    let unknown = open(&legacy(&pickle, b"\x80\x02]X\x01\x00\x00\x001a.")).unwrap_err();
    assert!(matches!(unknown, Fault::Format { .. }), "{unknown}");
    let zip_none = open(&zipped(&[("a/data.pkl", &pickle)])).unwrap_err();
    assert!(
        zip_none
            .to_string()
            .contains("its storage `0` is not in the file")
    );
    let zip_other = open(&zipped(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 20])])).unwrap_err();
    assert!(zip_other.to_string().contains("and has 20 bytes"));
}

#[test]
fn other_files_are_told_apart() {
    let format = |bytes: &[u8]| open(bytes).unwrap_err().to_string();
    assert_eq!(
        format(b""),
        "expected a file that `torch.save` wrote, got something else"
    );
    assert_eq!(
        format(b"hello world"),
        "expected a file that `torch.save` wrote, got something else"
    );
    assert!(format(b"PK\x03\x04 cut short").starts_with("expected a zip file, got"));
    assert!(format(&zipped(&[("a/x", b"")])).ends_with("got 0 of them"));
    assert!(format(&zipped(&[("a/data.pkl", b""), ("b/data.pkl", b"")])).ends_with("got 2 of them"));
    let script = zipped(&[("a/data.pkl", b""), ("a/constants.pkl", b"")]);
    assert!(format(&script).ends_with("got a TorchScript program"));
    let big = zipped(&[("a/data.pkl", b""), ("a/byteorder", b"big")]);
    assert_eq!(
        format(&big),
        "expected little-endian numbers, got big-endian ones"
    );
    // Every cut of a good file is an error, never a panic.
    for whole in [
        legacy(&one_tensor(6, 0, &[6], &[1]), &one_storage(6, 6)),
        zipped(&[
            ("a/data.pkl", &one_tensor(6, 0, &[6], &[1])),
            ("a/data/0", &[0; 24]),
        ]),
    ] {
        for end in 0..whole.len() {
            assert!(open(&whole[..end]).is_err(), "{end}");
        }
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let whole = legacy(&one_tensor(6, 0, &[2, 3], &[3, 1]), &one_storage(6, 6));
    let zip = zipped(&[
        ("a/data.pkl", &one_tensor(6, 0, &[6], &[1])),
        ("a/data/0", &[0; 24]),
    ]);
    let mut stream = asap_core::Stream::new(3, "damage");
    for whole in [whole, zip] {
        for _ in 0..1500 {
            let mut bytes = whole.clone();
            for _ in 0..1 + stream.below(3) {
                let at = stream.below(bytes.len());
                bytes[at] = stream.below(256) as u8;
            }
            if let Ok(file) = open_kept(&bytes) {
                for tensor in file.1.tensors() {
                    _ = file.1.read(tensor);
                }
            }
        }
    }
}

/// As [`open`], with the folder kept so that the tensors can be read.
fn open_kept(bytes: &[u8]) -> Result<(tempfile::TempDir, TorchFile), Error> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.pth");
    std::fs::write(&path, bytes).unwrap();
    Ok((dir, TorchFile::open(&path)?))
}

#[test]
fn damaged_safetensors_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.safetensors");
    let open = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        SafeFile::open(&path).map_err(fault).unwrap_err()
    };
    made::write(&path, &made::heads("alex"));
    let whole = std::fs::read(&path).unwrap();
    assert!(matches!(open(&whole[..7]), Fault::Format { .. }));
    assert!(matches!(open(&whole[..20]), Fault::Truncated { .. }));
    assert!(matches!(open(&whole[..whole.len() - 1]), Fault::Truncated { .. }));
    let mut longer = whole.clone();
    longer.push(0);
    assert!(matches!(open(&longer), Fault::Truncated { .. }));
    let torch = open(&legacy(b"\x80\x02}.", b""));
    assert!(torch.to_string().contains("`asap weights convert`"), "{torch}");
    let mut header = whole;
    header[9] = b'?';
    assert!(matches!(open(&header), Fault::Format { .. }));
}

fn made_dir(net: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    made::write_lpips(dir.path(), net);
    let path = dir.path().to_owned();
    (dir, path)
}

fn load(dir: &Path, net: LpipsNet) -> Result<Lpips, Fault> {
    Lpips::load(&WeightsDir::open(dir).unwrap(), net).map_err(fault)
}

#[test]
fn weights_of_another_network_are_refused() {
    let (_keep, dir) = made_dir("alex");
    load(&dir, LpipsNet::Alex).unwrap();
    assert!(matches!(load(&dir, LpipsNet::Vgg), Err(Fault::Missing { .. })));
    // AlexNet under the name of VGG16: a tensor has another shape.
    std::fs::copy(dir.join("alexnet.safetensors"), dir.join("vgg16.safetensors")).unwrap();
    let other = load(&dir, LpipsNet::Vgg).unwrap_err();
    assert!(
        matches!(&other, Fault::Shape { name, .. } if name == "features.0.weight"),
        "{other}"
    );
    // Heads under the name of a trunk: nothing fits, and similar names are told.
    std::fs::copy(dir.join("lpips-alex.safetensors"), dir.join("vgg16.safetensors")).unwrap();
    let other = load(&dir, LpipsNet::Vgg).unwrap_err();
    assert!(
        other.to_string().starts_with(
            "expected tensor `features.0.weight` of `vgg16`, got none of that name; nearest: `lin0.model.1.weight`"
        ),
        "{other}"
    );
    // Every tensor that is needed, not only those that tell networks apart.
    let mut tensors = made::trunk("alex");
    tensors.retain(|(name, _)| name != "features.8.bias");
    made::write(&dir.join("alexnet.safetensors"), &tensors);
    let incomplete = load(&dir, LpipsNet::Alex).unwrap_err();
    assert!(matches!(&incomplete, Fault::MissingTensor { name, .. } if name == "features.8.bias"));
}

#[test]
fn numbers_that_no_published_weights_have_are_refused() {
    let (_keep, dir) = made_dir("alex");
    for (file, value, expected) in [
        (
            "lpips-alex.safetensors",
            -0.5_f32,
            "expected no negative numbers, got -0.5",
        ),
        (
            "alexnet.safetensors",
            f32::NAN,
            "expected finite numbers, got NaN",
        ),
    ] {
        let path = dir.join(file);
        let good = std::fs::read(&path).unwrap();
        let mut bytes = good.clone();
        let last = bytes.len() - 4;
        bytes[last..].copy_from_slice(&value.to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        let found = load(&dir, LpipsNet::Alex).unwrap_err();
        assert!(found.to_string().ends_with(expected), "{found}");
        std::fs::write(&path, good).unwrap();
    }
}

#[test]
fn pinned_files_may_not_change() {
    let (_keep, dir) = made_dir("alex");
    let folder = WeightsDir::open(&dir).unwrap();
    let found = folder.check().unwrap();
    let names: Vec<_> = found
        .iter()
        .map(|file| (file.file.as_str(), file.network, file.is_pinned))
        .collect();
    assert_eq!(
        names,
        [
            ("alexnet.safetensors", Some("alexnet"), false),
            ("lpips-alex.safetensors", Some("lpips-alex"), false)
        ]
    );
    folder.pin(&found).unwrap();
    load(&dir, LpipsNet::Alex).unwrap();
    assert!(
        WeightsDir::open(&dir)
            .unwrap()
            .check()
            .unwrap()
            .iter()
            .all(|file| file.is_pinned)
    );

    let path = dir.join("lpips-alex.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&0.25_f32.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let changed = load(&dir, LpipsNet::Alex).unwrap_err();
    assert!(matches!(changed, Fault::Hash { .. }), "{changed}");
    let told = WeightsDir::open(&dir).unwrap().check().unwrap();
    assert!(told[0].fault.is_none() && told[1].fault.as_ref().unwrap().starts_with("SHA-256: expected"));

    std::fs::write(dir.join(PINS_FILE), "nonsense").unwrap();
    assert!(matches!(
        WeightsDir::open(&dir).map_err(fault),
        Err(Fault::Format { .. })
    ));
    assert!(WeightsDir::open(&dir.join("none")).is_err());
}

#[test]
fn loaded_weights_say_what_they_have() {
    let (_keep, dir) = made_dir("alex");
    let weights = WeightsDir::open(&dir)
        .unwrap()
        .load(network("lpips-alex").unwrap())
        .unwrap();
    assert_eq!(weights.names().count(), 5);
    assert_eq!(weights.shape("lin2.model.1.weight").unwrap(), [1, 384, 1, 1]);
    assert_eq!(weights.sha256().len(), 64);
    let again = Weights::read(weights.path(), "heads").unwrap();
    let missing = fault(again.shape("lin2.weight").unwrap_err());
    assert!(
        missing.to_string().contains("nearest: `lin0.model.1.weight`"),
        "{missing}"
    );
}
