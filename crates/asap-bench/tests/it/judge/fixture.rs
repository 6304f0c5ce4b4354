//! Small runs, and a judge that says what it is told to.

use std::path::Path;
use std::sync::Mutex;

use asap_bench::judge::{
    AnswerLog, Backend, JudgeOptions, Mode, Question, Runs, Summary, image_questions, run_judge,
};
use asap_bench::protocol::{Protocol, ShowPrompt};
use asap_bench::run::{Depth, Generator, ProtocolRef, Run, RunPrompts, adopt, sha256};
use asap_bench::{Result, cost::Price};
use asap_core::chat::{ChatFailure, ChatFailureKind, ChatPart, ChatReply, ChatRequest, Finish, Usage};

pub(crate) const JUDGE: &str = "openai:stub";
pub(crate) const PASS: &str = r#"{"defects":[],"reason":"fine","verdict":"pass"}"#;
pub(crate) const FAIL: &str = r#"{"defects":[],"reason":"six fingers","verdict":"fail"}"#;

/// Two prompts.
pub(crate) fn prompts_jsonl() -> String {
    let row = |id: &str, category: &str| {
        format!(
            r#"{{"id":"{id}","category":"{category}","subcategory":"s","factors":[],"prompt":"Text of {id}.","regions":["hands"],"persons":1,"hands_expected":{{"min":1,"max":2}},"framing":"half_body","difficulty":1,"lang":"en","source":"human","license":"CC0-1.0","added":"1.0.0"}}"#
        )
    };
    format!(
        "{}\n{}\n",
        row("haf-bas-0001", "basic_anatomy"),
        row("haf-obj-0002", "object_interaction")
    )
}

pub(crate) fn png(shade: u8) -> Vec<u8> {
    let image = image::RgbImage::from_pixel(8, 6, image::Rgb([shade, 10, 20]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Writes two prompts with seeds 0 and 1 as a bare folder: shades from `shade` on.
pub(crate) fn bare_folder(dir: &Path, shade: u8) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("source.jsonl"), prompts_jsonl()).unwrap();
    for (idx, name) in [
        "haf-bas-0001/0",
        "haf-bas-0001/1",
        "haf-obj-0002/0",
        "haf-obj-0002/1",
    ]
    .iter()
    .enumerate()
    {
        let path = dir.join("images").join(format!("{name}.png"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, png(shade + idx as u8)).unwrap();
    }
}

pub(crate) fn adopted(dir: &Path, model: &str) -> Result<Run> {
    let prompts = RunPrompts::read(&dir.join("source.jsonl"))?;
    let generator = Generator {
        kind: "folder".to_owned(),
        settings: [("steps".to_owned(), 28.into())].into(),
    };
    let protocol = ProtocolRef {
        id: "generation.v1".to_owned(),
        sha256: sha256(b"text"),
    };
    adopt(dir, model, generator, protocol, &prompts)
}

/// A run of four images.
pub(crate) fn run(dir: &Path, model: &str, shade: u8) -> Run {
    bare_folder(dir, shade);
    adopted(dir, model).unwrap();
    Run::load(dir, Depth::Pixels).unwrap()
}

pub(crate) fn protocol(id: &str) -> Protocol {
    Protocol::built_in(id, ShowPrompt::Never).unwrap().unwrap()
}

pub(crate) fn price() -> Price {
    let list = asap_bench::cost::PriceList::built_in().unwrap();
    list.get("openai:gpt-5.4-mini").unwrap().clone()
}

/// An answer that ends well.
pub(crate) fn reply(text: &str) -> ChatReply {
    ChatReply {
        text: text.to_owned(),
        finish: Finish::Complete,
        model_version: Some("stub-1".to_owned()),
        response_id: None,
        usage: Some(Usage {
            prompt: 1000,
            output: 200,
            ..Usage::default()
        }),
        raw: text.to_owned(),
        attempts: 1,
        unanswered: 0,
    }
}

pub(crate) fn finished(finish: Finish) -> ChatReply {
    ChatReply {
        finish,
        ..reply("{\"verd")
    }
}

pub(crate) fn failure(kind: ChatFailureKind) -> ChatFailure {
    ChatFailure {
        kind,
        url: "http://stub/".to_owned(),
        status: None,
        message: "it says so".to_owned(),
        attempts: 3,
        unanswered: 0,
    }
}

type Answer = std::result::Result<ChatReply, ChatFailure>;
type Rule<'a> = dyn Fn(&ChatRequest, usize) -> Answer + Sync + 'a;

/// A judge that answers by a function of the request and of how many came before; it keeps what it was asked.
pub(crate) struct Script<'a> {
    rule: Box<Rule<'a>>,
    pub(crate) asked: Mutex<Vec<ChatRequest>>,
}

impl<'a> Script<'a> {
    pub(crate) fn new(rule: impl Fn(&ChatRequest, usize) -> Answer + Sync + 'a) -> Self {
        Self {
            rule: Box::new(rule),
            asked: Mutex::default(),
        }
    }

    pub(crate) fn n_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Backend for Script<'_> {
    async fn ask(&self, request: &ChatRequest) -> Answer {
        let n_before = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(request.clone());
            asked.len() - 1
        };
        tokio::task::yield_now().await;
        (self.rule)(request, n_before)
    }
}

/// The texts of a request.
pub(crate) fn texts(request: &ChatRequest) -> Vec<&str> {
    request
        .parts
        .iter()
        .filter_map(|part| match part {
            ChatPart::Text(text) => Some(text.as_str()),
            ChatPart::Image(_) => None,
        })
        .collect()
}

/// How a test judges.
pub(crate) struct How {
    pub(crate) mode: Mode,
    pub(crate) concurrency: usize,
    pub(crate) most_usd: Option<f64>,
}

impl Default for How {
    fn default() -> Self {
        Self {
            mode: Mode::Record,
            concurrency: 1,
            most_usd: None,
        }
    }
}

/// Judges `questions` of `run` with the log on disk, as one run of the program would.
pub(crate) async fn judge(
    script: &Script<'_>,
    runs: Runs<'_>,
    questions: &[Question],
    protocol: &Protocol,
    how: &How,
) -> Result<Summary> {
    let price = price();
    let options = JudgeOptions {
        protocol,
        mode: how.mode,
        concurrency: how.concurrency,
        price: Some(&price),
        most_usd: how.most_usd,
        now: &|| "2026-01-02T03:04:05Z".to_owned(),
        is_stopping: &|| false,
        reporter: &(),
    };
    let mut log = match how.mode {
        Mode::Live => AnswerLog::in_memory(),
        _ => AnswerLog::open(runs.run, JUDGE)?,
    };
    run_judge(script, runs, questions, &mut log, &options).await
}

/// Judges all images of a run under `aer.v1`.
pub(crate) async fn judge_images(script: &Script<'_>, run: &Run, how: &How) -> Result<Summary> {
    let protocol = protocol("aer.v1");
    let questions = image_questions(run, &protocol, JUDGE, 1);
    let runs = Runs { run, baseline: None };
    judge(script, runs, &questions, &protocol, how).await
}

/// The verdicts of a run as words, by sample.
pub(crate) fn words(run: &Run) -> Vec<String> {
    let verdicts = asap_bench::judge::verdicts(run).unwrap();
    let word = |row: &asap_core::Judgement| {
        let word = asap_bench::judge::Said::Verdict(row.verdict);
        word.unscored()
            .map_or(word.word(), asap_core::UnscoredReason::name)
    };
    verdicts
        .judgements()
        .iter()
        .map(|row| format!("{}/{} {}", row.sample.prompt_id, row.sample.seed, word(row)))
        .collect()
}
