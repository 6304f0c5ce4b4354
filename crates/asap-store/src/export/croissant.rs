//! Croissant 1.1 metadata (JSON-LD of MLCommons): the files with their hashes, and the fields of a record.

use arrow::datatypes::{DataType, Field};
use serde_json::{Value, json};

use super::card::{licence_id, splits};
use super::table::{self, IMAGES};
use super::{ExportFile, ExportOptions, Facts};
use crate::{Error, Result};

/// The media type under which readers of Croissant know Parquet.
const PARQUET: &str = "application/x-parquet";

/// The whole file.
pub(super) fn text(options: &ExportOptions, files: &[ExportFile], facts: &Facts) -> Result<String> {
    let schema = table::schema()?;
    let fields: Vec<Value> = schema
        .fields()
        .iter()
        .filter(|field| !is_nested(field))
        .map(|field| field_json(field))
        .collect();
    let document = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": options.name,
        "description": "Preference pairs of human images: the rejected image equals the preferred one but for a local anatomical error, which a mask marks.",
        "license": licence_id(facts),
        "citeAs": "arXiv:2605.25759",
        "url": "https://arxiv.org/abs/2605.25759",
        "version": "1.0.0",
        "distribution": distribution(files),
        "recordSet": [{
            "@type": "cr:RecordSet",
            "@id": "pairs",
            "name": "pairs",
            "description": "One record a pair, without the nested columns (budget, degradations, rejections, stats, evidence), which are in the Parquet files.",
            "key": { "@id": "pairs/pair_id" },
            "field": fields,
        }],
    });
    serde_json::to_string_pretty(&document)
        .map(|text| text + "\n")
        .map_err(|error| Error::io("write", "croissant.json".as_ref(), error.into()))
}

/// The set of files has no `containedIn`: it lies in the folder of the description itself.
fn distribution(files: &[ExportFile]) -> Vec<Value> {
    let mut items: Vec<Value> = files
        .iter()
        .map(|file| {
            json!({
                "@type": "cr:FileObject",
                "@id": file.path,
                "name": file.path,
                "contentUrl": file.path,
                "contentSize": format!("{} B", file.size_bytes),
                "encodingFormat": PARQUET,
                "sha256": file.sha256.to_string(),
            })
        })
        .collect();
    let names: Vec<&str> = splits(files).map(|split| split.name()).collect();
    items.push(json!({
        "@type": "cr:FileSet",
        "@id": "parquet",
        "name": "parquet",
        "description": format!("All splits: {}.", names.join(", ")),
        "encodingFormat": PARQUET,
        "includes": "data/*.parquet",
    }));
    items
}

/// Columns of records within a record: Croissant's readers have no value for them, so they are left to Parquet.
fn is_nested(field: &Field) -> bool {
    let holds_structs = match field.data_type() {
        DataType::List(item) => matches!(item.data_type(), DataType::Struct(_)),
        other => matches!(other, DataType::Struct(_)),
    };
    holds_structs && !IMAGES.contains(&field.name().as_str())
}

fn field_json(field: &Field) -> Value {
    let name = field.name();
    let extract = json!({ "column": name });
    let mut value = json!({
        "@type": "cr:Field",
        "@id": format!("pairs/{name}"),
        "name": name,
        "dataType": data_type(field),
    });
    if IMAGES.contains(&name.as_str()) {
        value["source"] = json!({
            "fileSet": { "@id": "parquet" },
            "extract": extract,
            "transform": { "jsonPath": "bytes" },
        });
        return value;
    }
    if matches!(field.data_type(), DataType::List(_)) {
        value["isArray"] = json!(true);
        value["arrayShape"] = json!("-1");
    }
    value["source"] = json!({ "fileSet": { "@id": "parquet" }, "extract": extract });
    value
}

fn data_type(field: &Field) -> &'static str {
    if IMAGES.contains(&field.name().as_str()) {
        return "sc:ImageObject";
    }
    let data_type = match field.data_type() {
        DataType::List(item) => item.data_type(),
        other => other,
    };
    match data_type {
        DataType::Boolean => "sc:Boolean",
        DataType::UInt8 | DataType::UInt32 | DataType::UInt64 => "sc:Integer",
        DataType::Float32 | DataType::Float64 => "sc:Float",
        _ => "sc:Text",
    }
}

/// The context that Croissant 1.1 prescribes.
fn context() -> Value {
    json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "arrayShape": "cr:arrayShape",
        "citeAs": "cr:citeAs",
        "column": "cr:column",
        "conformsTo": "dct:conformsTo",
        "containedIn": "cr:containedIn",
        "cr": "http://mlcommons.org/croissant/",
        "data": { "@id": "cr:data", "@type": "@json" },
        "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "dct": "http://purl.org/dc/terms/",
        "equivalentProperty": "cr:equivalentProperty",
        "examples": { "@id": "cr:examples", "@type": "@json" },
        "extract": "cr:extract",
        "field": "cr:field",
        "fileObject": "cr:fileObject",
        "fileProperty": "cr:fileProperty",
        "fileSet": "cr:fileSet",
        "format": "cr:format",
        "includes": "cr:includes",
        "isArray": "cr:isArray",
        "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath",
        "key": "cr:key",
        "md5": "cr:md5",
        "parentField": "cr:parentField",
        "path": "cr:path",
        "prov": "http://www.w3.org/ns/prov#",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "recordSet": "cr:recordSet",
        "references": "cr:references",
        "regex": "cr:regex",
        "repeated": "cr:repeated",
        "replace": "cr:replace",
        "sc": "https://schema.org/",
        "separator": "cr:separator",
        "source": "cr:source",
        "subField": "cr:subField",
        "transform": "cr:transform",
    })
}
