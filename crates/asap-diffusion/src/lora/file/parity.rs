//! Files of diffusers are read, and diffusers reads ours; `tests/golden/lora_files.py` made what is compared with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{AdapterFile, Backbone, Format, LowRankArrays, export};
use crate::Array;
use crate::testing::{Golden, python, weight};

const FORMATS: [Format; 3] = [Format::Diffusers, Format::Kohya, Format::ComfyUi];

/// A layer's matrices from the formula; `sizes` are rank, inputs, outputs.
fn pair(path: &str, [rank, n_in, n_out]: [usize; 3]) -> LowRankArrays {
    let array = |letter: char, shape: [usize; 2], factor: f32| {
        let values = weight(&format!("{path}.lora_{letter}.weight"), &shape);
        let values = values.into_iter().map(|value| value * factor).collect();
        Array::new(&shape, values).unwrap()
    };
    LowRankArrays {
        down: array('A', [rank, n_in], 1.0),
        up: array('B', [n_out, rank], 0.25),
    }
}

/// The adapter of the tiny network.
pub(super) fn adapter(backbone: Backbone) -> AdapterFile {
    let golden = Golden::read("lora_files");
    let name = match backbone {
        Backbone::Flux => "flux",
        Backbone::Sdxl => "sdxl",
    };
    let layers: BTreeMap<String, [usize; 3]> = golden.fact(&format!("/layers/{name}"));
    AdapterFile {
        backbone,
        rank: golden.fact("/rank"),
        alpha: golden.fact("/alpha"),
        layers: layers
            .into_iter()
            .map(|(path, sizes)| (path.clone(), pair(&path, sizes)))
            .collect(),
        notes: BTreeMap::from([("step".to_owned(), "3000".to_owned())]),
    }
}

fn golden_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("lora_files_{name}.safetensors"))
}

/// The same adapter with these layers and no notes, as the golden files have it.
fn with(mut adapter: AdapterFile, is_kept: impl Fn(&str) -> bool) -> AdapterFile {
    adapter.layers.retain(|path, _| is_kept(path));
    adapter.notes.clear();
    adapter
}

#[test]
fn files_of_diffusers_are_read() {
    let flux = AdapterFile::read(&golden_file("flux")).unwrap();
    assert_eq!(flux, with(adapter(Backbone::Flux), |_| true));
    let delta = flux.delta("transformer_blocks.0.attn.to_q").unwrap();
    Golden::read("lora_files").check("delta", &delta.tensor());

    let few: Vec<String> = Golden::read("lora_files").fact("/few");
    let expected = with(adapter(Backbone::Sdxl), |path| {
        few.iter().any(|name| name == path)
    });
    let sdxl = AdapterFile::read(&golden_file("sdxl")).unwrap();
    assert_eq!(sdxl, expected);

    // diffusers' conversion tells alpha = rank, whatever it was.
    let converted = AdapterFile::read(&golden_file("converted")).unwrap();
    let alpha = expected.rank as f64;
    assert_eq!(converted, AdapterFile { alpha, ..expected });
}

#[test]
fn each_format_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    for backbone in [Backbone::Flux, Backbone::Sdxl] {
        let adapter = adapter(backbone);
        for format in FORMATS {
            let path = folder.path().join(format!("{backbone}-{format:?}.safetensors"));
            let report = export(&adapter, format, &path).unwrap();
            assert_eq!(report.n_layers, adapter.layers.len());
            let back = AdapterFile::read_for(&path, backbone).unwrap();
            let is_exact = backbone == Backbone::Flux || format == Format::Diffusers;
            if is_exact {
                assert_eq!(report.largest_error, 0.0);
                assert_eq!(back, adapter);
            } else {
                // Layers of another rank have a factor in their B.
                assert!(report.largest_error <= 2e-7, "{report:?}");
                let facts = |adapter: &AdapterFile| (adapter.rank, adapter.alpha, adapter.notes.clone());
                assert_eq!(facts(&back), facts(&adapter));
                assert!(back.layers.keys().eq(adapter.layers.keys()));
            }
        }
    }
}

#[test]
fn diffusers_reads_each_format() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = Vec::new();
    let mut add = |case: &str, adapter: &AdapterFile, format: Format| {
        let path = folder.path().join(format!("{case}-{format:?}.safetensors"));
        export(adapter, format, &path).unwrap();
        arguments.push(format!("{case}:{}", path.display()));
    };
    for (case, backbone) in [("flux", Backbone::Flux), ("sdxl", Backbone::Sdxl)] {
        let adapter = adapter(backbone);
        for format in FORMATS {
            add(case, &adapter, format);
        }
    }
    add("flux-deltas", &full_width(), Format::Kohya);
    if let Some(printed) = python::run("check_lora.py", &arguments) {
        eprintln!("{printed}");
        assert_eq!(printed.lines().count(), arguments.len());
    }
}

/// One fused layer of the true FLUX.
fn full_width() -> AdapterFile {
    let sizes = [
        ("attn.to_q", 3072),
        ("attn.to_k", 3072),
        ("attn.to_v", 3072),
        ("proj_mlp", 12288),
    ];
    let layers = sizes.map(|(word, n_out)| {
        let path = format!("single_transformer_blocks.0.{word}");
        (path.clone(), pair(&path, [4, 3072, n_out]))
    });
    AdapterFile {
        layers: layers.into(),
        ..adapter(Backbone::Flux)
    }
}
