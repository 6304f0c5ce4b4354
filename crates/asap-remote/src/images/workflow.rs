//! ComfyUI workflows with places for what changes from image to image.

use serde_json::{Map, Value};

use super::ImageRequest;
use crate::{Error, Result};

/// The names that may stand between `{{` and `}}`.
const NAMES: [&str; 5] = ["prompt", "negative", "seed", "width", "height"];

/// A ComfyUI graph in its API form ("Export (API)" in the menu) with placeholders in its inputs.
///
/// # Placeholders
/// `{{prompt}}`, `{{negative}}`, `{{seed}}`, `{{width}}`, `{{height}}` in any text below a node's `inputs`:
///
/// - A text that is nothing but one of `{{seed}}`, `{{width}}`, `{{height}}` becomes a number.
/// - Anywhere else a placeholder is replaced as text, such as in `"asap_{{seed}}"`.
/// - `{{negative}}` without negative words becomes the empty text.
/// - What was put in is not looked at again, so a prompt may contain braces.
/// - `{{prompt}}` and `{{seed}}` must occur: ComfyUI answers an equal graph from its cache and makes no new image.
/// - Any other name between the braces is an error.
///
/// ```
/// use asap_remote::Workflow;
///
/// let text = r#"{"3": {"class_type": "KSampler", "inputs": {"seed": "{{seed}}", "text": "{{prompt}}"}}}"#;
/// assert!(Workflow::parse("flux.json", text).is_ok());
/// assert!(Workflow::parse("ui.json", r#"{"nodes": [], "links": []}"#).is_err()); // not the API form
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    name: String,
    graph: Map<String, Value>,
}

impl Workflow {
    /// Reads and checks a graph; `name` is for messages.
    ///
    /// # Errors
    /// [`Error::Workflow`].
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::Workflow {
            name: name.to_owned(),
            reason,
        };
        let json: Value =
            serde_json::from_str(text).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
        let Value::Object(graph) = json else {
            return Err(wrong("expected a JSON object of nodes".to_owned()));
        };
        if graph.contains_key("nodes") && graph.contains_key("links") {
            return Err(wrong(
                "it is in the form of the editor: export it with `Export (API)`".to_owned(),
            ));
        }
        let mut found = Vec::new();
        for (id, node) in &graph {
            if !node["class_type"].is_string() || !node["inputs"].is_object() {
                return Err(wrong(format!("node `{id}` has no `class_type` or no `inputs`")));
            }
            names_in(&node["inputs"], &mut found);
        }
        if let Some(other) = found.iter().find(|found| !NAMES.contains(&found.as_str())) {
            let known = NAMES.map(|name| format!("`{{{{{name}}}}}`")).join(", ");
            return Err(wrong(format!("expected one of {known}, got `{{{{{other}}}}}`")));
        }
        for needed in ["prompt", "seed"] {
            if !found.iter().any(|name| name == needed) {
                return Err(wrong(format!("`{{{{{needed}}}}}` stands in no input of it")));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            graph,
        })
    }

    /// What it was called when it was read.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The graph for one image.
    pub(super) fn fill(&self, request: &ImageRequest, seed: u64) -> Value {
        let mut graph = self.graph.clone();
        for node in graph.values_mut() {
            fill(&mut node["inputs"], request, seed);
        }
        Value::Object(graph)
    }
}

/// The next placeholder in a text: what stands before it, its name, what follows.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name.trim(), after))
}

fn names_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let mut rest = text.as_str();
            while let Some((_, name, after)) = next(rest) {
                found.push(name.to_owned());
                rest = after;
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names_in(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| names_in(field, found)),
        _ => {}
    }
}

fn fill(value: &mut Value, request: &ImageRequest, seed: u64) {
    match value {
        Value::String(text) => *value = filled(text, request, seed),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, request, seed)),
        Value::Object(fields) => fields.values_mut().for_each(|field| fill(field, request, seed)),
        _ => {}
    }
}

fn filled(text: &str, request: &ImageRequest, seed: u64) -> Value {
    let number = |name: &str| match name {
        "seed" => Some(seed),
        "width" => Some(request.width_px.into()),
        "height" => Some(request.height_px.into()),
        _ => None,
    };
    if let Some(("", name, "")) = next(text)
        && let Some(number) = number(name)
    {
        return number.into();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = next(rest) {
        out.push_str(before);
        match (name, number(name)) {
            (_, Some(number)) => out.push_str(&number.to_string()),
            ("prompt", None) => out.push_str(&request.prompt),
            // `parse` let no other name through.
            _ => out.push_str(request.negative.as_deref().unwrap_or_default()),
        }
        rest = after;
    }
    out.push_str(rest);
    out.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reason(text: &str) -> String {
        let message = Workflow::parse("w.json", text).unwrap_err().to_string();
        let head = "`w.json` is not a usable ComfyUI workflow: ";
        message.strip_prefix(head).unwrap().to_owned()
    }

    #[test]
    fn placeholders_become_numbers_or_text_and_are_filled_once() {
        let graph = json!({
            "1": {"class_type": "A", "inputs": {"text": "photo, {{prompt}}", "seed": "{{ seed }}", "cfg": 1.5}},
            "2": {"class_type": "B", "inputs": {"size": ["{{width}}", "{{height}}"], "of": ["1", 0],
                  "name": "asap_{{seed}}_{{width}}x", "not": "{{negative}}"}, "_meta": {"title": "{{any}}"}},
        });
        let workflow = Workflow::parse("w.json", &graph.to_string()).unwrap();
        let request = ImageRequest {
            prompt: "a {{seed}} \"hand\"".to_owned(),
            negative: None,
            width_px: 64,
            height_px: 48,
            seed: None,
        };
        let expected = json!({
            "1": {"class_type": "A", "inputs": {"text": "photo, a {{seed}} \"hand\"", "seed": 7, "cfg": 1.5}},
            "2": {"class_type": "B", "inputs": {"size": [64, 48], "of": ["1", 0],
                  "name": "asap_7_64x", "not": ""}, "_meta": {"title": "{{any}}"}},
        });
        assert_eq!(workflow.fill(&request, 7), expected);
    }

    #[test]
    fn unusable_workflows_say_why() {
        let node = |text: &str| json!({"1": {"class_type": "A", "inputs": {"text": text}}}).to_string();
        for (text, expected) in [
            (
                "{".to_owned(),
                "it is not JSON: EOF while parsing an object at line 1 column 1",
            ),
            ("[]".to_owned(), "expected a JSON object of nodes"),
            (
                r#"{"nodes": [], "links": []}"#.to_owned(),
                "it is in the form of the editor: export it with `Export (API)`",
            ),
            (
                r#"{"1": {}}"#.to_owned(),
                "node `1` has no `class_type` or no `inputs`",
            ),
            (node("{{seed}}"), "`{{prompt}}` stands in no input of it"),
            (node("{{prompt}}"), "`{{seed}}` stands in no input of it"),
            (
                node("{{promt}}"),
                "expected one of `{{prompt}}`, `{{negative}}`, `{{seed}}`, `{{width}}`, `{{height}}`, got `{{promt}}`",
            ),
        ] {
            assert_eq!(reason(&text), expected);
        }
    }
}
