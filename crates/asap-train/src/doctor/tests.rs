//! Datasets with faults, made through the store, as the doctor and a training see them.

use std::path::Path;

use asap_core::{
    BoxPx, Degradation, Keypoint, Kind, Mask, Mechanism, Pair, PairId, Part, Positive, PositiveId,
    Provenance, Region, Rejected, Scope, Severity as Grade, Skeleton, Source, SourceKind, Stream,
};
use asap_diffusion::device::Place;
use asap_store::{Dataset, Group};
use image::{ImageFormat, Rgb, RgbImage};

use super::*;
use crate::config::Layer;

const SIZE: u32 = 64;
const ERROR: BoxPx = BoxPx {
    x0: 16,
    y0: 24,
    x1: 40,
    y1: 48,
};

/// What is wrong with a pair.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Inverted,
    Empty,
    Swapped,
    NoCaption,
    Background,
    Equal,
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn noise(number: u64) -> RgbImage {
    let mut stream = Stream::new(number, "doctor");
    RgbImage::from_fn(SIZE, SIZE, |_, _| {
        let bits = stream.bits().to_le_bytes();
        Rgb([bits[0], bits[1], bits[2]])
    })
}

fn skeleton(score: f32) -> Skeleton {
    let mut skeleton = Skeleton::default();
    for idx in 0..asap_core::skeleton::N_KEYPOINTS {
        skeleton[idx] = Keypoint {
            x: 1.0,
            y: 2.0,
            score,
        };
    }
    skeleton
}

fn group(number: u64, fault: Fault) -> Group {
    let preferred = noise(number);
    let mut rejected = preferred.clone();
    if fault != Fault::Equal {
        for (x, y, pixel) in rejected.enumerate_pixels_mut() {
            if ERROR.contains(x, y) || (fault == Fault::Background && y < 8) {
                *pixel = Rgb(pixel.0.map(|value| 255 - value));
            }
        }
    }
    let marked = Mask::from_fn(SIZE, SIZE, |x, y| ERROR.contains(x, y)).dilated(2);
    let mask = match fault {
        Fault::Inverted => marked.complement(),
        Fault::Empty => Mask::new(SIZE, SIZE),
        _ => marked,
    };
    let scores = match fault {
        Fault::Swapped => (0.5, 0.9),
        _ => (0.9, 0.8),
    };
    let positive = Positive {
        id: PositiveId::new(&format!("picture {number}"), "{}"),
        image_png: png(&preferred),
        width: SIZE,
        height: SIZE,
        prompt: match fault {
            Fault::NoCaption => " ".to_owned(),
            _ => format!("A person waves, number {number}"),
        },
        skeletons: vec![skeleton(scores.0)],
        source: Source {
            kind: SourceKind::Photograph,
            name: format!("{number}.jpg"),
            sha256: "0123456789abcdef".repeat(4),
            licence: "CC BY 4.0".to_owned(),
        },
    };
    let pair = Pair {
        id: PairId::new(positive.id, "hand.melted@1", "{}", number),
        positive_id: positive.id,
        rejected: Rejected::Whole { png: png(&rejected) },
        mask_edit: mask.clone(),
        mask_part: mask,
        regions: vec![Region::LeftHand],
        degradations: vec![Degradation {
            part: Part::Hand,
            kind: Kind::Fused,
            scope: Scope::Local,
            severity: Grade::Clear,
        }],
        mechanism: Mechanism::ImageSpace,
        rejected_skeletons: vec![skeleton(scores.1)],
        provenance: Provenance {
            operators: vec!["hand.melted@1".to_owned()],
            parameters: "{}".to_owned(),
            seed: number,
            code_version: "0.1.0".to_owned(),
        },
    };
    Group {
        positive,
        pairs: vec![pair],
        assessments: Vec::new(),
    }
}

/// A dataset with a pair for each fault, and settings that train on it.
async fn dataset(folder: &Path, faults: &[Fault]) -> Settings {
    let path = folder.join("a.lance");
    let mut dataset = Dataset::create(&path).await.unwrap();
    let groups = (1..).zip(faults).map(|(number, fault)| group(number, *fault));
    dataset.append(groups.collect()).await.unwrap();
    let flags = [
        ("data.path", path.display().to_string()),
        ("data.decision", "any".to_owned()),
        ("model.resolution_px", "64".to_owned()),
    ];
    let mut layers = vec![Layer::preset("tiny").unwrap()];
    layers.extend(flags.iter().map(|(key, value)| Layer::flag(key, value).unwrap()));
    Settings::resolve(&layers).unwrap()
}

fn id(number: u64) -> PairId {
    group(number, Fault::None).pairs[0].id
}

#[tokio::test]
async fn each_fault_of_a_dataset_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let faults = [
        Fault::None,
        Fault::Inverted,
        Fault::Empty,
        Fault::Swapped,
        Fault::NoCaption,
        Fault::Background,
        Fault::Equal,
        Fault::None,
    ];
    let settings = dataset(folder.path(), &faults).await;
    let examination = examine(&settings, None, Place::Cpu).await.unwrap();
    assert_eq!((examination.n_chosen, examination.facts.len()), (8, 8));
    let pairs = |check: &str| -> Vec<PairId> {
        let finding = examination.findings.iter().find(|it| it.check == check).unwrap();
        finding.hits.iter().map(|hit| hit.pair).collect()
    };
    for (check, number) in [
        ("mask.inverted", 2),
        ("mask.empty", 3),
        ("swap.pose", 4),
        ("caption.missing", 5),
        ("images.equal", 7),
    ] {
        assert_eq!(pairs(check), [id(number)], "{check}");
    }
    assert_eq!(pairs("background.pixels"), [id(6)]);
    assert!(pairs("background.latents").contains(&id(6)));
    for check in [
        "pair.unreadable",
        "images.duplicate",
        "caption.duplicate",
        "mask.full",
    ] {
        assert!(pairs(check).is_empty(), "{check}");
    }
    let good = &examination.findings;
    assert!(
        good.iter()
            .flat_map(|it| &it.hits)
            .all(|hit| hit.pair != id(1) && hit.pair != id(8))
    );

    let written = write(&examination, &settings, &folder.path().join("out"))
        .await
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&written[0]).unwrap()).unwrap();
    assert_eq!(json["findings"][1]["check"], "mask.empty");
    assert_eq!(json["findings"][1]["bad"][0]["pair"], id(3).to_string());
    let sheet = image::open(&written[1]).unwrap().into_rgb8();
    assert!(sheet.width() > 1000 && sheet.height() > 1000);
    let text = table(&examination);
    assert!(text.contains("mask.inverted"), "{text}");
    assert!(text.contains("checks with bad pairs: 2 error"), "{text}");
}

#[tokio::test]
async fn training_is_refused_on_wrong_masks_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    let settings = dataset(folder.path(), &[Fault::None, Fault::Inverted, Fault::Background]).await;
    let error = gate(&settings, OnError::Refuse).await.unwrap_err().to_string();
    assert!(error.contains("1 of 3 pairs have mask.inverted"), "{error}");
    assert!(error.contains(&id(2).short()), "{error}");
    assert!(error.contains("`--force` trains all the same"), "{error}");
    assert_eq!(error.lines().count(), 1);
    let told = gate(&settings, OnError::Tell).await.unwrap();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("invert the mask"), "{told:?}");
}

#[tokio::test]
async fn a_changed_background_alone_does_not_stop_training() {
    let folder = tempfile::tempdir().unwrap();
    let settings = dataset(folder.path(), &[Fault::None, Fault::Background, Fault::NoCaption]).await;
    assert_eq!(gate(&settings, OnError::Refuse).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_sample_is_named_by_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = dataset(folder.path(), &[Fault::None; 9]).await;
    let ids = async |settings: &Settings| -> Vec<PairId> {
        let examination = examine(settings, Some(3), Place::Cpu).await.unwrap();
        assert_eq!(examination.n_chosen, 9);
        examination.facts.iter().map(|facts| facts.pair).collect()
    };
    let first = ids(&settings).await;
    assert_eq!(first.len(), 3);
    assert_eq!(first, ids(&settings).await);
    settings.run.seed += 1;
    assert_ne!(first, ids(&settings).await);
}

#[tokio::test]
async fn a_dataset_without_chosen_pairs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = dataset(folder.path(), &[Fault::None]).await;
    settings.data.decision = crate::config::Decision::Kept;
    let error = examine(&settings, None, Place::Cpu)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("has no pair to look at"), "{error}");
}
