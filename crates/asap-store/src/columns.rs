//! Builds and reads Arrow columns, so that the columns of a table are named once for writing and once for
//! reading.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, ListArray, RecordBatch,
    StringArray, StructArray, UInt8Array, UInt32Array, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{Field, Fields, Schema};
use arrow::error::ArrowError;

use crate::{Error, Result};

/// Columns of equal length under construction.
#[derive(Default)]
pub(crate) struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    /// Adds a finished column.
    pub(crate) fn push(&mut self, field: Field, array: ArrayRef) {
        self.fields.push(field);
        self.arrays.push(array);
    }

    fn add(&mut self, name: &str, array: impl Array + 'static) {
        let array: ArrayRef = Arc::new(array);
        self.push(Field::new(name, array.data_type().clone(), true), array);
    }

    /// A text column.
    pub(crate) fn text<T: AsRef<str>>(&mut self, name: &str, values: impl Iterator<Item = Option<T>>) {
        self.add(name, values.collect::<StringArray>());
    }

    /// A column of bytes.
    pub(crate) fn bytes<T: AsRef<[u8]>>(&mut self, name: &str, values: impl Iterator<Item = Option<T>>) {
        self.add(name, values.collect::<BinaryArray>());
    }

    /// A column of truth values.
    pub(crate) fn truth(&mut self, name: &str, values: impl Iterator<Item = Option<bool>>) {
        self.add(name, values.collect::<BooleanArray>());
    }

    /// A column of unsigned 8-bit numbers.
    pub(crate) fn u8(&mut self, name: &str, values: impl Iterator<Item = Option<u8>>) {
        self.add(name, values.collect::<UInt8Array>());
    }

    /// A column of unsigned 32-bit numbers.
    pub(crate) fn u32(&mut self, name: &str, values: impl Iterator<Item = Option<u32>>) {
        self.add(name, values.collect::<UInt32Array>());
    }

    /// A column of unsigned 64-bit numbers.
    pub(crate) fn u64(&mut self, name: &str, values: impl Iterator<Item = Option<u64>>) {
        self.add(name, values.collect::<UInt64Array>());
    }

    /// A column of 64-bit floats.
    pub(crate) fn f64(&mut self, name: &str, values: impl Iterator<Item = Option<f64>>) {
        self.add(name, values.collect::<Float64Array>());
    }

    /// A column of lists of texts.
    pub(crate) fn texts<T: AsRef<str>>(&mut self, name: &str, rows: impl Iterator<Item = Option<Vec<T>>>) {
        let (flat, shape) = flatten(rows);
        let items: StringArray = flat.iter().map(|text| Some(text.as_ref())).collect();
        self.list(name, Arc::new(items), shape);
    }

    /// A column of lists of 32-bit floats.
    pub(crate) fn f32s(&mut self, name: &str, rows: impl Iterator<Item = Option<Vec<f32>>>) {
        let (flat, shape) = flatten(rows);
        self.list(name, Arc::new(Float32Array::from(flat)), shape);
    }

    /// A column of lists of structs, whose fields `build` makes from all items of all rows.
    pub(crate) fn structs<T>(
        &mut self,
        name: &str,
        rows: impl Iterator<Item = Option<Vec<T>>>,
        build: impl FnOnce(&mut Columns, &[T]),
    ) {
        let (flat, shape) = flatten(rows);
        let mut columns = Columns::default();
        build(&mut columns, &flat);
        self.list(name, Arc::new(columns.into_struct(None)), shape);
    }

    /// A struct column, whose fields `build` makes.
    pub(crate) fn group(&mut self, name: &str, valid: Vec<bool>, build: impl FnOnce(&mut Columns)) {
        let mut columns = Columns::default();
        build(&mut columns);
        self.add(name, columns.into_struct(Some(NullBuffer::from(valid))));
    }

    /// Takes over the columns of `other` whose names are not here yet.
    pub(crate) fn append_missing(&mut self, other: Columns) {
        for (field, array) in other.fields.into_iter().zip(other.arrays) {
            if self.fields.iter().all(|known| known.name() != field.name()) {
                self.push(field, array);
            }
        }
    }

    fn list(&mut self, name: &str, items: ArrayRef, shape: Shape) {
        let item = Arc::new(Field::new("item", items.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths(shape.lengths);
        self.add(
            name,
            ListArray::new(item, offsets, items, Some(NullBuffer::from(shape.valid))),
        );
    }

    fn into_struct(self, nulls: Option<NullBuffer>) -> StructArray {
        StructArray::new(Fields::from(self.fields), self.arrays, nulls)
    }

    /// The columns as one batch under schema metadata.
    pub(crate) fn into_batch(
        self,
        metadata: HashMap<String, String>,
    ) -> std::result::Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(
            Arc::new(Schema::new_with_metadata(self.fields, metadata)),
            self.arrays,
        )
    }
}

struct Shape {
    lengths: Vec<usize>,
    valid: Vec<bool>,
}

fn flatten<T>(rows: impl Iterator<Item = Option<Vec<T>>>) -> (Vec<T>, Shape) {
    let mut flat = Vec::new();
    let mut shape = Shape {
        lengths: Vec::new(),
        valid: Vec::new(),
    };
    for row in rows {
        shape.lengths.push(row.as_ref().map_or(0, Vec::len));
        shape.valid.push(row.is_some());
        flat.extend(row.into_iter().flatten());
    }
    (flat, shape)
}

/// Columns under their names, for reading.
pub(crate) struct Rows<'a> {
    table: &'a str,
    fields: &'a Fields,
    columns: &'a [ArrayRef],
}

impl<'a> Rows<'a> {
    /// The columns of a batch; `table` names it in messages.
    pub(crate) fn of_batch(table: &'a str, batch: &'a RecordBatch) -> Self {
        Self {
            table,
            fields: batch.schema_ref().fields(),
            columns: batch.columns(),
        }
    }

    /// The fields of a struct.
    pub(crate) fn of_struct(table: &'a str, array: &'a StructArray) -> Self {
        Self {
            table,
            fields: array.fields(),
            columns: array.columns(),
        }
    }

    /// The name used in messages.
    pub(crate) fn table(&self) -> &'a str {
        self.table
    }

    /// The column of that name and type.
    pub(crate) fn get<A: Array + 'static>(&self, name: &str) -> Result<&'a A> {
        self.find(name)
            .and_then(|array| array.as_any().downcast_ref::<A>())
            .ok_or_else(|| Error::Column {
                table: self.table.to_owned(),
                column: name.to_owned(),
                expected: std::any::type_name::<A>()
                    .rsplit("::")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            })
    }

    fn find(&self, name: &str) -> Option<&'a ArrayRef> {
        let idx = self.fields.iter().position(|field| field.name() == name)?;
        self.columns.get(idx)
    }

    /// The text of a row, taken as one of a closed list.
    pub(crate) fn word<T>(&self, name: &str, row: usize, parse: fn(&str) -> Option<T>) -> Result<T> {
        let text = self.get::<StringArray>(name)?.value(row);
        parse(text).ok_or_else(|| self.unknown(name, text, "word of this schema version"))
    }

    /// The text of a row, taken as an id.
    pub(crate) fn id<T: FromStr>(&self, name: &str, row: usize) -> Result<T> {
        let text = self.get::<StringArray>(name)?.value(row);
        text.parse()
            .map_err(|_parse| self.unknown(name, text, "id of 64 hexadecimal digits"))
    }

    /// The texts of a row.
    pub(crate) fn texts(&self, name: &str, row: usize) -> Result<Vec<String>> {
        let items = self.items::<StringArray>(name, row)?;
        Ok((0..items.len()).map(|idx| items.value(idx).to_owned()).collect())
    }

    /// The floats of a row.
    pub(crate) fn f32s(&self, name: &str, row: usize) -> Result<Vec<f32>> {
        Ok(self.items::<Float32Array>(name, row)?.values().to_vec())
    }

    /// The items of a list in a row.
    pub(crate) fn items<A: Array + Clone + 'static>(&self, name: &str, row: usize) -> Result<A> {
        let items = self.get::<ListArray>(name)?.value(row);
        items
            .as_any()
            .downcast_ref::<A>()
            .cloned()
            .ok_or_else(|| Error::Column {
                table: self.table.to_owned(),
                column: name.to_owned(),
                expected: "list".to_owned(),
            })
    }

    /// The float of a row, if there is one.
    pub(crate) fn f64(&self, name: &str, row: usize) -> Result<Option<f64>> {
        let column = self.get::<Float64Array>(name)?;
        Ok(column.is_valid(row).then(|| column.value(row)))
    }

    /// The error for a value that is not one of a closed list.
    pub(crate) fn unknown(&self, column: &str, got: &str, expected: &'static str) -> Error {
        Error::Value {
            table: self.table.to_owned(),
            column: column.to_owned(),
            got: got.chars().take(80).collect(),
            expected,
        }
    }
}
