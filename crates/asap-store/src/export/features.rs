//! The features of an Arrow schema as Hugging Face `datasets` writes them: as JSON in the Parquet file, as
//! YAML on the card.

use arrow::datatypes::{DataType, Field, Schema};
use serde_json::{Value, json};

use super::table::IMAGES;

/// Where `datasets` looks in the metadata of a file.
pub(super) const KEY: &str = "huggingface";

/// The value of [`KEY`].
pub(super) fn metadata_json(schema: &Schema) -> String {
    let features: serde_json::Map<String, Value> = schema
        .fields()
        .iter()
        .map(|field| (field.name().clone(), feature(field)))
        .collect();
    json!({ "info": { "features": features } }).to_string()
}

fn feature(field: &Field) -> Value {
    if IMAGES.contains(&field.name().as_str()) {
        return json!({ "_type": "Image" });
    }
    match field.data_type() {
        DataType::List(item) => json!({ "_type": "List", "feature": feature(item) }),
        DataType::Struct(fields) => fields
            .iter()
            .map(|field| (field.name().clone(), feature(field)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => json!({ "_type": "Value", "dtype": dtype(other) }),
    }
}

/// The `features` list of a card, indented below `dataset_info`.
pub(super) fn card_yaml(schema: &Schema) -> String {
    let mut yaml = String::new();
    for field in schema.fields() {
        push_yaml(&mut yaml, field, 2);
    }
    yaml
}

fn push_yaml(yaml: &mut String, field: &Field, indent: usize) {
    let pad = " ".repeat(indent);
    yaml.push_str(&format!("{pad}- name: {}\n", field.name()));
    if IMAGES.contains(&field.name().as_str()) {
        yaml.push_str(&format!("{pad}  dtype: image\n"));
        return;
    }
    let (key, data_type) = match field.data_type() {
        DataType::List(item) => ("list", item.data_type()),
        DataType::Struct(_) => ("struct", field.data_type()),
        other => ("dtype", other),
    };
    match data_type {
        DataType::Struct(fields) => {
            yaml.push_str(&format!("{pad}  {key}:\n"));
            for field in fields {
                push_yaml(yaml, field, indent + 2);
            }
        }
        other => yaml.push_str(&format!("{pad}  {key}: {}\n", dtype(other))),
    }
}

/// The name of a primitive type in `datasets`.
fn dtype(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "bool",
        DataType::UInt8 => "uint8",
        DataType::UInt32 => "uint32",
        DataType::UInt64 => "uint64",
        DataType::Float32 => "float32",
        DataType::Float64 => "float64",
        DataType::Binary => "binary",
        _ => "string",
    }
}
