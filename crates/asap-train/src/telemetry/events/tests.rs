//! Event files are read back: by a decoder of our own, and by TensorBoard where a Python with it is named.

use std::process::Command;

use super::*;
use crate::telemetry::{Note, crc32c::crc32c};

/// A PNG of one red dot on two by one pixels, by Python's zlib.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 2, 0, 0, 0,
    1, 8, 2, 0, 0, 0,
];

fn step(step: u64, loss: f64) -> Record {
    Record::Step(Step {
        step,
        epoch: 0,
        loss,
        delta: 0.005,
        winner_advantage: 0.002,
        loser_advantage: 0.003,
        accuracy: 0.75,
        share_past_tau: None,
        grad_norm: 1.25,
        learning_rate: 1e-4,
        seconds: 0.5,
        data_wait_seconds: 0.0,
        memory_peak_bytes: Some(1 << 33),
        pairs: Vec::new(),
    })
}

fn write_example(dir: &Path) -> PathBuf {
    let mut events = EventFile::create(dir, "run", 1_700_000_000.5, 0).unwrap();
    events.write(1_700_000_001.0, &step(1, 0.25)).unwrap();
    events.write(1_700_000_002.0, &step(300, f64::NAN)).unwrap();
    let eval = Eval::of(300, &[(None, 0.5), (None, -0.25)]);
    events.write(1_700_000_003.0, &Record::Eval(eval)).unwrap();
    let note = Note {
        step: 300,
        text: String::new(),
    };
    events.write(1_700_000_003.5, &Record::Note(note)).unwrap();
    events.write_image(1_700_000_004.0, 300, "000", PNG).unwrap();
    events.path.clone()
}

/// A field of a message: its number, and its value in bytes (of a varint, little-endian).
type Field = (u64, Vec<u8>);

/// Reads the messages of a file and checks both checksums of each.
fn messages(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let unmasked = |word: [u8; 4]| u32::from_le_bytes(word).wrapping_sub(0xA282_EAD8).rotate_left(15);
    while let Some((head, rest)) = bytes.split_first_chunk::<12>() {
        let (length, sum) = head.split_first_chunk::<8>().unwrap();
        assert_eq!(unmasked(sum.try_into().unwrap()), crc32c(length));
        let (message, rest) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let (sum, rest) = rest.split_first_chunk::<4>().unwrap();
        assert_eq!(unmasked(*sum), crc32c(message));
        messages.push(message.to_vec());
        bytes = rest;
    }
    assert!(bytes.is_empty());
    messages
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn fields(mut bytes: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let value = match key & 7 {
            0 => varint(&mut bytes).to_le_bytes().to_vec(),
            kind => {
                let length = match kind {
                    1 => 8,
                    5 => 4,
                    _ => varint(&mut bytes) as usize,
                };
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                value.to_vec()
            }
        };
        fields.push((key >> 3, value));
    }
    fields
}

fn text(field: &Field) -> String {
    String::from_utf8(field.1.clone()).unwrap()
}

/// Step, tags and numbers of an event with a summary.
fn scalars(event: &[u8]) -> (u64, Vec<(String, f32)>) {
    let event = fields(event);
    let step = u64::from_le_bytes(event[1].1.clone().try_into().unwrap());
    let values = fields(&event[2].1).into_iter().map(|(_, value)| {
        let value = fields(&value);
        (
            text(&value[0]),
            f32::from_le_bytes(value[1].1.clone().try_into().unwrap()),
        )
    });
    (step, values.collect())
}

#[test]
fn what_is_written_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = write_example(dir.path());
    assert_eq!(path.file_name().unwrap(), "events.out.tfevents.1700000000.run");
    let messages = messages(&std::fs::read(path).unwrap());
    assert_eq!(messages.len(), 6);
    let version = fields(&messages[0]);
    assert_eq!(version[0], (1, 1_700_000_000.5_f64.to_le_bytes().to_vec()));
    assert_eq!((version[1].0, text(&version[1]).as_str()), (3, "brain.Event:2"));
    assert_eq!(fields(&messages[1])[2], (7, vec![8, 1]));
    let (first, numbers) = scalars(&messages[2]);
    assert_eq!((first, numbers.len()), (1, 10));
    assert_eq!(numbers[0], ("train/loss".to_owned(), 0.25));
    assert_eq!(numbers[9], ("memory/peak_bytes".to_owned(), (1u64 << 33) as f32));
    let (second, numbers) = scalars(&messages[3]);
    assert!(second == 300 && numbers[0].1.is_nan());
    let held_out = [
        ("held_out/accuracy".to_owned(), 0.5),
        ("held_out/delta".to_owned(), 0.125),
    ];
    assert_eq!(scalars(&messages[4]), (300, held_out.to_vec()));
    let image = fields(&fields(&fields(&fields(&messages[5])[2].1)[0].1)[1].1);
    let sizes: Vec<u8> = image[..3].iter().map(|(_, value)| value[0]).collect();
    assert_eq!((sizes, image[3].1.as_slice()), (vec![1, 2, 3], PNG));
}

#[test]
fn a_second_file_in_one_second_has_its_own_name() {
    let dir = tempfile::tempdir().unwrap();
    let first = write_example(dir.path());
    let second = write_example(dir.path());
    assert_eq!(second.to_string_lossy(), format!("{}.1", first.display()));
}

#[test]
fn other_pictures_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut events = EventFile::create(dir.path(), "run", 0.0, 0).unwrap();
    let error = events
        .write_image(0.0, 1, "000", b"GIF89a")
        .unwrap_err()
        .to_string();
    assert_eq!(error, "`000` has 6 bytes, expected a PNG");
    let jpeg = [0xff; 64];
    assert!(events.write_image(0.0, 1, "000", &jpeg).is_err());
}

const READER: &str = r#"
import json, math, sys
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
rows = []
for event in EventFileLoader(sys.argv[1]).Load():
    kind = event.WhichOneof("what")
    row = [event.step, kind]
    if kind == "summary":
        for value in event.summary.value:
            what = value.WhichOneof("value")
            tensor = value.tensor
            if tensor.float_val:
                number = tensor.float_val[0]
                row.append([value.tag, "nan" if math.isnan(number) else number])
            else:
                row.append([value.tag, [item.decode("latin1")[:8] for item in tensor.string_val]])
    rows.append(row)
print(json.dumps(rows))
"#;

#[test]
fn tensorboard_reads_the_file() {
    let is_required = std::env::var("ASAP_REQUIRE").is_ok_and(|list| list.contains("torch"));
    let Ok(python) = std::env::var("ASAP_TORCH_PYTHON") else {
        assert!(
            !is_required,
            "`ASAP_TORCH_PYTHON` is not set and `ASAP_REQUIRE` asks for it"
        );
        eprintln!("skipped: `ASAP_TORCH_PYTHON` is not set");
        return;
    };
    let has_it = Command::new(&python).args(["-c", "import tensorboard"]).output();
    if !has_it.is_ok_and(|output| output.status.success()) {
        assert!(
            !is_required,
            "`{python}` has no tensorboard and `ASAP_REQUIRE` asks for it"
        );
        eprintln!("skipped: `{python}` has no tensorboard");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = write_example(dir.path());
    let output = Command::new(python)
        .args(["-c", READER])
        .arg(path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows[0], serde_json::json!([0, "file_version"]));
    assert_eq!(rows[1], serde_json::json!([0, "session_log"]));
    assert_eq!(rows[2][2], serde_json::json!(["train/loss", 0.25]));
    assert_eq!(rows[3][2], serde_json::json!(["train/loss", "nan"]));
    assert_eq!(rows[4][2], serde_json::json!(["held_out/accuracy", 0.5]));
    // TensorBoard turns an image into a tensor of width, height and bytes.
    assert_eq!(
        rows[5][2][1],
        serde_json::json!(["2", "1", "\u{89}PNG\r\n\u{1a}\n"])
    );
    assert_eq!(rows.as_array().unwrap().len(), 6);
}
