//! `asap bench`: a stub server stands in for judges and generators, and the real program is run, killed and run again.

mod asking;
mod broken;
mod costs;
mod drawing;
mod going_on;

use asap_remote::stub::{Rules, Stub};
use serde_json::Value;
use sha2::Digest as _;

use crate::harness::{Run, Sandbox, images};

const PASS: &str =
    r#"{"bodies":[],"defects":[],"reason":"fine","verdict":"pass","verdict_confidence":"high"}"#;
const FAIL: &str = r#"{"bodies":[],"defects":[{"body_part":"hand","evidence":"six","kind":"count","severity":"clear"}],"reason":"six fingers","verdict":"fail","verdict_confidence":"high"}"#;

/// A stub on threads of its own.
struct Server {
    stub: Stub,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start(rules: Rules) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let stub = runtime.block_on(Stub::start(rules)).unwrap();
        Self {
            stub,
            _runtime: runtime,
        }
    }

    /// The judge of the command line.
    fn judge(&self) -> String {
        format!("openai:{}#stub", self.stub.openai_base())
    }

    fn n_requests(&self) -> usize {
        self.stub.n_requests()
    }
}

fn prompts_jsonl(n: usize) -> String {
    let row = |idx: usize| {
        let category = ["basic_anatomy", "object_interaction"][idx % 2];
        format!(
            r#"{{"id":"haf-{idx:04}","category":"{category}","subcategory":"s","factors":[],"prompt":"Prompt number {idx}.","regions":["hands"],"persons":1,"hands_expected":{{"min":1,"max":2}},"framing":"half_body","difficulty":1,"lang":"en","source":"human","license":"CC0-1.0","added":"1.0.0"}}"#
        )
    };
    (0..n).map(|idx| row(idx) + "\n").collect()
}

fn picture(shade: usize) -> Vec<u8> {
    images::png(image::RgbImage::from_pixel(
        12,
        8,
        image::Rgb([shade as u8, 40, 90]),
    ))
}

/// Makes a run of `n` prompts with one image each.
fn make_run(sandbox: &Sandbox, name: &str, n: usize, shade: usize) {
    sandbox.write("prompts.jsonl", prompts_jsonl(n));
    for idx in 0..n {
        sandbox.write(&format!("{name}/images/haf-{idx:04}/0.png"), picture(shade + idx));
    }
    sandbox.ok(&format!(
        "bench adopt {name} --model {name} --prompts prompts.jsonl"
    ));
}

fn judge_line(server: &Server, rest: &str) -> String {
    format!(
        "bench judge flux --protocol aer.v1 --judge {} {rest}",
        server.judge()
    )
}

fn lines(sandbox: &Sandbox, name: &str) -> Vec<Value> {
    let text = String::from_utf8(sandbox.read(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The verdicts of `flux/judgements.jsonl` as JSON text, in its order.
fn verdicts(sandbox: &Sandbox) -> Vec<String> {
    let rows = lines(sandbox, "flux/judgements.jsonl");
    rows.iter().map(|row| row["verdict"].to_string()).collect()
}

#[track_caller]
fn failed_with(run: &Run, expected: &str) {
    assert_eq!(run.code, Some(1), "{}", run.snapshot());
    assert!(
        run.stderr.contains(expected),
        "expected `{expected}` in\n{}",
        run.stderr
    );
}

/// SHA-256 of a picture, as run.json has it.
fn sha256(bytes: &[u8]) -> String {
    asap_core::Sha256::from_bytes(sha2::Sha256::digest(bytes).into()).to_string()
}
