//! Weights from a formula on whole numbers: the same as in `../golden/lpips/distances.py`, which describes it.

use std::fs;
use std::path::Path;

/// Names and shapes of the tensors of a file.
pub(crate) type Shapes = Vec<(String, Vec<usize>)>;

/// The trunk's tensors by their names in torchvision.
pub(crate) fn trunk(net: &str) -> Shapes {
    let layers: &[(usize, usize, usize, usize)] = match net {
        "alex" => &[
            (0, 3, 64, 11),
            (3, 64, 192, 5),
            (6, 192, 384, 3),
            (8, 384, 256, 3),
            (10, 256, 256, 3),
        ],
        _ => &[
            (0, 3, 64, 3),
            (2, 64, 64, 3),
            (5, 64, 128, 3),
            (7, 128, 128, 3),
            (10, 128, 256, 3),
            (12, 256, 256, 3),
            (14, 256, 256, 3),
            (17, 256, 512, 3),
            (19, 512, 512, 3),
            (21, 512, 512, 3),
            (24, 512, 512, 3),
            (26, 512, 512, 3),
            (28, 512, 512, 3),
        ],
    };
    let each = layers.iter().flat_map(|&(idx, inputs, outputs, side)| {
        [
            (
                format!("features.{idx}.weight"),
                vec![outputs, inputs, side, side],
            ),
            (format!("features.{idx}.bias"), vec![outputs]),
        ]
    });
    each.collect()
}

/// The tensors of the heads.
pub(crate) fn heads(net: &str) -> Shapes {
    let channels = match net {
        "alex" => [64, 192, 384, 256, 256],
        _ => [64, 128, 256, 512, 512],
    };
    let each = channels.iter().enumerate();
    each.map(|(tap, &n)| (format!("lin{tap}.model.1.weight"), vec![1, n, 1, 1]))
        .collect()
}

/// The elements of a tensor.
pub(crate) fn elements(name: &str, shape: &[usize]) -> Vec<f32> {
    let state = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
    });
    let bound = (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt();
    let each = (1..=shape.iter().product::<usize>() as u64).map(|number| {
        let mut z = state.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let unit = (z >> 40) as f64 / f64::from(1 << 23) - 1.0;
        let scaled = match name {
            _ if name.starts_with("lin") => unit.abs(),
            _ if name.ends_with(".bias") => 0.1 * unit,
            _ => unit * bound,
        };
        scaled as f32
    });
    each.collect()
}

/// Writes a safetensors file of made-up elements.
pub(crate) fn write(path: &Path, tensors: &Shapes) {
    let mut header = String::from("{");
    let mut data = Vec::new();
    for (name, shape) in tensors {
        let start = data.len();
        data.extend(elements(name, shape).iter().flat_map(|value| value.to_le_bytes()));
        let comma = if start == 0 { "" } else { "," };
        header.push_str(&format!(
            "{comma}\"{name}\":{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{start},{}]}}",
            data.len()
        ));
    }
    header.push('}');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.into_bytes());
    bytes.extend(data);
    fs::write(path, bytes).unwrap();
}

/// Writes the two files that LPIPS needs, under the names of the manifest.
pub(crate) fn write_lpips(dir: &Path, net: &str) {
    let (trunk_file, heads_file) = match net {
        "alex" => ("alexnet.safetensors", "lpips-alex.safetensors"),
        _ => ("vgg16.safetensors", "lpips-vgg.safetensors"),
    };
    write(&dir.join(trunk_file), &trunk(net));
    write(&dir.join(heads_file), &heads(net));
}
