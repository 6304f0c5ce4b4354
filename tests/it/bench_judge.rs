//! `asap bench`: a stub server stands in for judges and generators, and the real program is run, killed and run again.

use std::path::Path;
use std::time::{Duration, Instant};

use asap_remote::stub::{ImageReply, Misbehaviour, Question, Reply, Rules, Stub};
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

#[test]
fn aer_from_images_to_judgements() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 4, 0);
    let server = Server::start(Rules::new(|question: &Question| {
        assert_eq!(question.images.len(), 1);
        assert!(question.schema["properties"]["verdict"].is_object());
        let is_last = question.images[0].to_string() == sha256(&picture(3));
        Reply::Text(if is_last { FAIL } else { PASS }.to_owned())
    }));
    let report = sandbox.json(&judge_line(&server, ""));
    assert_eq!(
        (
            &report["n_calls"],
            &report["verdicts"]["pass"],
            &report["verdicts"]["fail"]
        ),
        (&4.into(), &3.into(), &1.into())
    );
    assert_eq!(
        verdicts(&sandbox),
        [r#""pass""#, r#""pass""#, r#""pass""#, r#""fail""#]
    );
    let first = sandbox.read("flux/judgements.jsonl");
    let text = sandbox.ok(&judge_line(&server, ""));
    assert_eq!(
        text,
        "4 of 4 answers have a verdict: fail 1, pass 3\n0 calls, 0 tokens in and 0 out\n\
         answers: `flux/answers/openai-stub.jsonl`; all verdicts of the run: `flux/judgements.jsonl`\n"
    );
    assert_eq!(server.n_requests(), 4, "nothing is paid for twice");
    let replay = judge_line(&server, "--mode replay-only");
    drop(server);
    sandbox.ok(&replay);
    assert_eq!(
        sandbox.read("flux/judgements.jsonl"),
        first,
        "the same verdicts give the same bytes"
    );
}

/// SHA-256 of a picture, as run.json has it.
fn sha256(bytes: &[u8]) -> String {
    asap_core::Sha256::from_bytes(sha2::Sha256::digest(bytes).into()).to_string()
}

#[test]
fn rsi_asks_both_orders() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    make_run(&sandbox, "base", 3, 100);
    // A judge that always takes the first image: the two orders contradict each other.
    let server = Server::start(Rules::new(|question: &Question| {
        assert_eq!(question.images.len(), 2);
        assert_eq!(&question.texts[..2], ["Image 1:", "Image 2:"]);
        Reply::Text(r#"{"reason":"r","verdict":"first"}"#.to_owned())
    }));
    let line = format!(
        "bench judge flux --against base --protocol rsi.v1 --judge {}",
        server.judge()
    );
    sandbox.ok(&line);
    let rows = lines(&sandbox, "flux/judgements.jsonl");
    assert_eq!((rows.len(), server.n_requests()), (6, 6));
    let orders: Vec<&str> = rows.iter().map(|row| row["order"].as_str().unwrap()).collect();
    assert_eq!(orders, ["model_first", "baseline_first"].repeat(3));
    failed_with(
        &sandbox.asap(&format!(
            "bench judge flux --protocol rsi.v1 --judge {}",
            server.judge()
        )),
        "error: `rsi.v1` compares two runs, and there is one\nhint: name the other one with `--against BASE`\n",
    );
}

#[test]
fn a_killed_run_goes_on_without_a_second_paid_call() {
    let sandbox = Sandbox::new();
    let n = 8;
    make_run(&sandbox, "flux", n, 0);
    let slow = Duration::from_millis(150);
    let server = Server::start(Rules::new(move |_| {
        Reply::Misbehave(Misbehaviour::Late(slow, PASS.to_owned()))
    }));
    let mut running = sandbox.start(&judge_line(&server, "--concurrency 1"));
    let start = Instant::now();
    while server.n_requests() < 4 {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "the program asks nothing"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    // SIGKILL: nothing is tidied up.
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let n_kept = lines(&sandbox, "flux/answers/openai-stub.jsonl").len();
    let n_asked = server.n_requests();
    assert!(
        (3..=4).contains(&n_kept) && n_asked - n_kept <= 1,
        "{n_kept} of {n_asked}"
    );
    sandbox.ok(&judge_line(&server, ""));
    assert_eq!(
        server.n_requests(),
        n_asked + n - n_kept,
        "what was kept is not asked again"
    );
    assert_eq!(verdicts(&sandbox).len(), n);
}

#[test]
fn a_torn_line_is_repaired_and_told() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    let server = Server::start(Rules::always(PASS));
    sandbox.ok(&judge_line(&server, ""));
    let whole = sandbox.read("flux/answers/openai-stub.jsonl");
    sandbox.write("flux/answers/openai-stub.jsonl", &whole[..whole.len() - 20]);
    let run = sandbox.asap(&judge_line(&server, ""));
    assert_eq!(run.code, Some(0), "{}", run.snapshot());
    assert!(
        run.stderr
            .starts_with("repaired: `flux/answers/openai-stub.jsonl` line 3: the last line is torn"),
        "{}",
        run.stderr
    );
    assert_eq!((server.n_requests(), verdicts(&sandbox).len()), (4, 3));
    // In the middle of the file it is no crash, and nothing is touched.
    let broken = [b"{\"key\"\n", &whole[..]].concat();
    sandbox.write("flux/answers/openai-stub.jsonl", &broken);
    failed_with(
        &sandbox.asap(&judge_line(&server, "")),
        "error: `flux/answers/openai-stub.jsonl` line 1: EOF while parsing",
    );
    assert_eq!(sandbox.read("flux/answers/openai-stub.jsonl"), broken);
}

#[test]
fn a_blocked_image_is_unscored_and_the_others_are_judged() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    let blocked = sha256(&picture(1));
    let server = Server::start(Rules::new(move |question: &Question| {
        if question.images[0].to_string() == blocked {
            return Reply::Misbehave(Misbehaviour::BlockedAnswer);
        }
        Reply::Text(PASS.to_owned())
    }));
    let report = sandbox.json(&judge_line(&server, ""));
    assert_eq!(
        (&report["unscored"]["blocked"], &report["verdicts"]["pass"]),
        (&1.into(), &2.into())
    );
    assert_eq!(
        verdicts(&sandbox),
        [r#""pass""#, r#"{"unscored":{"reason":"blocked"}}"#, r#""pass""#]
    );
}

#[test]
fn wrong_answers_end_as_what_they_are() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 4, 0);
    let of = |idx: usize| sha256(&picture(idx));
    let [first, second, third] = [of(0), of(1), of(2)];
    let server = Server::start(Rules::new(move |question: &Question| {
        let image = question.images[0].to_string();
        if image == first {
            return Reply::Text(r#"{"verdict":"maybe"}"#.to_owned());
        }
        if image == second {
            return Reply::Misbehave(Misbehaviour::Truncated("{\"bodies\":[".to_owned()));
        }
        if image == third {
            return Reply::Misbehave(Misbehaviour::Refusal("I will not".to_owned()));
        }
        Reply::Text(format!("Here you are:\n```json\n{FAIL}\n```"))
    }));
    let report = sandbox.json(&judge_line(&server, "--concurrency 1"));
    assert_eq!(
        report["unscored"],
        serde_json::json!({"invalid_enum": 1, "refused": 1, "truncated": 1})
    );
    assert_eq!(report["verdicts"], serde_json::json!({"fail": 1}));
    // Three questions about the wrong word, three with more room, one refusal, one answer.
    assert_eq!(server.n_requests(), 3 + 3 + 1 + 1);
}

#[test]
fn the_quota_of_the_day_is_a_checkpoint() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 4, 0);
    let server = Server::start(Rules::always(PASS));
    server.stub.script([
        Misbehaviour::Late(Duration::ZERO, PASS.to_owned()),
        Misbehaviour::DailyQuota,
    ]);
    let run = sandbox.asap(&judge_line(&server, "--concurrency 1"));
    failed_with(&run, "error: the quota of the day is used up: ");
    assert!(
        run.stderr
            .contains("hint: every answer so far is kept; run the same command again tomorrow"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("1 of 4 answers have a verdict"),
        "{}",
        run.stdout
    );
    sandbox.ok(&judge_line(&server, ""));
    assert_eq!((server.n_requests(), verdicts(&sandbox).len()), (2 + 3, 4));
}

const PRICES: &str = "schema = 1\n[[model]]\nname = \"openai:stub\"\ndate = \"2026-01-01\"\nsource = \"a test\"\n\
    input = 1.0\noutput = 10.0\nbatch_factor = 0.5\nimage_tokens = { low = 100, medium = 500, high = 1000 }\n";

#[test]
fn costs_are_estimated_and_limited() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 4, 0);
    sandbox.write("prices.toml", PRICES);
    let server = Server::start(Rules::always(PASS));
    let plan = sandbox.json(&judge_line(&server, "--prices prices.toml --dry-run"));
    assert_eq!((&plan["n_calls"], server.n_requests()), (&4.into(), 0));
    let (usd, most) = (plan["usd"].as_f64().unwrap(), plan["most_usd"].as_f64().unwrap());
    // 2000 tokens out each, and 8192 at most.
    assert!(usd > 4.0 * 0.02 && most > 4.0 * 0.08192 && most > usd, "{plan}");
    assert!(!sandbox.path("flux/answers").exists(), "a dry run writes nothing");
    failed_with(
        &sandbox.asap(&judge_line(&server, "--prices prices.toml --max-usd 0.01")),
        "hint: every answer so far is kept; the same command with a larger --max-usd goes on",
    );
    assert_eq!(server.n_requests(), 0, "one call could cost more than a cent");
    sandbox.ok(&judge_line(&server, "--prices prices.toml --max-usd 5"));
    assert_eq!(server.n_requests(), 4);
    let answers = lines(&sandbox, "flux/answers/openai-stub.jsonl");
    assert!(answers.iter().all(|row| row["usd"].as_f64().unwrap() > 0.0));
}

#[test]
fn a_price_file_without_the_model_names_those_that_it_has() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 1, 0);
    sandbox.write("prices.toml", PRICES.replace("openai:stub", "openai:other"));
    let server = Server::start(Rules::always(PASS));
    for options in ["--prices prices.toml", "--prices prices.toml --max-usd 3"] {
        let run = sandbox.asap(&judge_line(&server, options));
        assert_eq!(
            run.snapshot(),
            "exit 1\n--- stderr\nerror: no price of `openai:stub` in `prices.toml`, which has `openai:other`\n\
             hint: add the model to a price file and name it with `--prices FILE`, or judge without a price: `--unpriced`\n"
        );
    }
    failed_with(
        &sandbox.asap(&judge_line(&server, "--max-usd 3")),
        "no price of `openai:stub` in `prices.toml`, which has `gemini:gemini-3.1-pro-preview`",
    );
    assert_eq!(server.n_requests(), 0);
    sandbox.ok(&judge_line(&server, "--unpriced"));
}

#[test]
fn broken_runs_are_told_line_by_line() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    let server = Server::start(Rules::always(PASS));
    std::fs::remove_file(sandbox.path("flux/images/haf-0001/0.png")).unwrap();
    let run = sandbox.asap(&judge_line(&server, ""));
    assert_eq!(
        run.snapshot(),
        "exit 1\n--- stderr\nmissing in `flux`: `images/haf-0001/0.png` is missing\n\
         error: 1 images are missing or broken\n\
         hint: draw them with `asap bench generate`, or leave them unscored with `--allow-missing`\n"
    );
    let report = sandbox.json(&judge_line(&server, "--allow-missing"));
    assert_eq!(
        (&report["unscored"]["no_image"], server.n_requests()),
        (&1.into(), 2)
    );
    sandbox.write("flux/images/haf-0000/0.png", picture(77));
    sandbox.write("flux/images/haf-0001/0.png", b"no image");
    let run = sandbox.asap(&judge_line(&server, ""));
    failed_with(&run, "error: run `flux` is not whole: 2 problems");
    assert_eq!(
        run.stderr
            .lines()
            .filter(|line| line.starts_with("problem: "))
            .count(),
        2,
        "{}",
        run.stderr
    );
    assert_eq!(verdicts(&sandbox).len(), 3, "verdicts that are there stay");
}

#[test]
fn bad_prompts_and_folders_get_one_line() {
    let sandbox = Sandbox::new();
    sandbox.write("flux/haf-0000/0.png", picture(0));
    sandbox.write("latin1.jsonl", b"{\"id\":\"caf\xe9\"}\n");
    let adopt = |prompts: &str| {
        sandbox
            .asap(&format!("bench adopt flux --model flux --prompts {prompts}"))
            .stderr
    };
    assert_eq!(
        adopt("latin1.jsonl"),
        "error: `latin1.jsonl` line 1: expected UTF-8, byte 11 is not; save the file as UTF-8\n"
    );
    let twice = prompts_jsonl(1).repeat(2);
    sandbox.write("twice.jsonl", twice);
    assert_eq!(
        adopt("twice.jsonl"),
        "error: `twice.jsonl` line 2: `haf-0000` is the id of line 1 already; ids are unique\n"
    );
    let server = Server::start(Rules::always(PASS));
    failed_with(
        &sandbox.asap(&judge_line(&server, "")),
        "error: `flux` is no run: it has no run.json\nhint: make it one with `asap bench adopt flux --model NAME --prompts FILE`",
    );
    sandbox.write("good.jsonl", prompts_jsonl(1));
    sandbox.write("flux/haf-0000/0.jpg", picture(1));
    let error = adopt("good.jsonl");
    assert!(
        error.contains(
            "problem: two images of `haf-0000` with seed 0: `haf-0000/0.jpg` and `haf-0000/0.png`\n"
        ),
        "{error}"
    );
}

#[test]
fn live_mode_keeps_nothing_and_replay_asks_nobody() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 2, 0);
    let server = Server::start(Rules::always(FAIL));
    failed_with(
        &sandbox.asap(&judge_line(&server, "--mode replay-only")),
        "error: no answer for `haf-0000` seed 0 of `flux` in `flux/answers/openai-stub.jsonl`: replay-only asks nobody, and 2 of 2 answers are missing",
    );
    assert_eq!(server.n_requests(), 0);
    let run = sandbox.asap(&judge_line(&server, "--mode live --limit 1"));
    assert_eq!(
        (run.code, server.n_requests()),
        (Some(0), 1),
        "{}",
        run.snapshot()
    );
    assert!(
        run.stderr.contains("`haf-0000` seed 0 of `flux`: fail"),
        "{}",
        run.stderr
    );
    assert!(!sandbox.path("flux/answers").exists());
}

#[test]
fn a_batch_is_submitted_once_and_fetched_later() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    let server = Server::start(Rules::always(PASS).with_polls(2));
    // Ended by force while the batch is under way.
    let mut running = sandbox.start(&judge_line(&server, "--batch --poll-secs 600"));
    let start = Instant::now();
    let log = sandbox.path("flux/batches/openai-stub.jsonl");
    while std::fs::read(&log).map_or(0, |bytes| bytes.len()) == 0 {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "no batch was submitted"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    failed_with(
        &sandbox.asap(&judge_line(&server, "")),
        "error: a batch of 3 questions is under way since ",
    );
    let report = sandbox.json(&judge_line(&server, "--batch --poll-secs 1"));
    assert_eq!(
        (&report["verdicts"]["pass"], &report["n_calls"]),
        (&3.into(), &3.into())
    );
    let n_submitted = server
        .stub
        .received()
        .iter()
        .filter(|request| request.path == "/v1/batches" && request.method == "POST")
        .count();
    assert_eq!(n_submitted, 1);
    sandbox.ok(&judge_line(&server, ""));
    assert_eq!(verdicts(&sandbox).len(), 3);
}

#[test]
fn images_are_drawn_once_and_judged() {
    let sandbox = Sandbox::new();
    sandbox.write("prompts.jsonl", prompts_jsonl(2));
    let server = Server::start(Rules::always(PASS).with_images(|question| {
        let seed = question.seed.unwrap_or(0) as usize;
        ImageReply::Image(picture(seed * 10 + question.prompts[0].len()))
    }));
    let line = format!(
        "bench generate --endpoint {} --model flux1-dev --name flux --samples 2 --size 512 --set steps=28 \
         --prompts prompts.jsonl --out flux",
        server.stub.openai_base()
    );
    assert_eq!(
        sandbox.ok(&line),
        "`flux`: 4 images drawn, 0 were there, 0 missing\n"
    );
    let request = server.stub.received()[0].json();
    assert_eq!(
        (&request["prompt"], &request["size"], &request["steps"]),
        (&"Prompt number 0.".into(), &"512x512".into(), &28.into())
    );
    let manifest: Value = serde_json::from_slice(&sandbox.read("flux/run.json")).unwrap();
    assert_eq!(
        (&manifest["model"], &manifest["seeds"]),
        (&"flux".into(), &serde_json::json!([0, 1]))
    );
    std::fs::remove_file(sandbox.path("flux/images/haf-0001/1.png")).unwrap();
    assert_eq!(
        sandbox.ok(&line),
        "`flux`: 1 images drawn, 3 were there, 0 missing\n"
    );
    assert_eq!(server.n_requests(), 5);
    failed_with(
        &sandbox.asap(&line.replace("steps=28", "steps=4")),
        "the run was begun with another settings: ",
    );
    sandbox.ok(&judge_line(&server, ""));
    assert_eq!(verdicts(&sandbox).len(), 4);
    let changed = picture(200);
    sandbox.write("flux/images/haf-0000/0.png", &changed);
    failed_with(
        &sandbox.asap(&line),
        "problem: `images/haf-0000/0.png` was changed: ",
    );
    assert_eq!(
        sandbox.read("flux/images/haf-0000/0.png"),
        changed,
        "no image is overwritten"
    );
}

#[test]
fn comfy_draws_too_and_says_what_it_could_not_draw() {
    let sandbox = Sandbox::new();
    sandbox.write("prompts.jsonl", prompts_jsonl(2));
    sandbox.write(
        "flux.json",
        r#"{"3":{"class_type":"KSampler","inputs":{"seed":"{{seed}}"}},"6":{"class_type":"CLIPTextEncode","inputs":{"text":"{{prompt}}"}}}"#,
    );
    let server = Server::start(Rules::always(PASS).with_images(|question| {
        if question.prompts[0].contains('1') {
            return ImageReply::Fails("out of memory".to_owned());
        }
        ImageReply::Image(picture(1))
    }));
    let line = format!(
        "bench generate --endpoint {} --comfy-workflow flux.json --model flux --prompts prompts.jsonl --out flux",
        server.stub.base()
    );
    let run = sandbox.asap(&line);
    failed_with(&run, "error: 1 images of `flux` are missing");
    assert!(
        run.stderr.contains("not drawn: `haf-0001` seed 0: "),
        "{}",
        run.stderr
    );
    assert!(Path::new(&sandbox.path("flux/images/haf-0000/0.png")).is_file());
}

#[test]
fn people_and_known_answers_are_judges_too() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 2, 0);
    make_run(&sandbox, "base", 2, 100);
    let labels: String = [(0, "pass"), (1, "pass"), (100, "fail"), (101, "pass")]
        .map(|(shade, word)| {
            format!(
                "{{\"image_sha256\":\"{}\",\"verdict\":\"{word}\"}}\n",
                sha256(&picture(shade))
            )
        })
        .concat();
    sandbox.write("labels.jsonl", labels);
    sandbox.write(
        "votes.csv",
        "rater,prompt_id,seed,verdict\nana,haf-0000,0,pass\nana,haf-0001,0,fail\n",
    );
    let line = |rest: &str| format!("bench judge flux {rest}");
    assert_eq!(
        sandbox.ok(&line("--protocol aer.v1 --judge human:votes.csv")),
        "2 verdicts from `votes.csv`: fail 1, pass 1\nall verdicts of the run: `flux/judgements.jsonl`\n"
    );
    sandbox.ok(&line("--protocol aer.v1 --judge known:labels.jsonl"));
    let known = sandbox.json(&line(
        "--against base --protocol rsi.v1 --judge known:labels.jsonl",
    ));
    assert_eq!(
        known["verdicts"],
        serde_json::json!({"first": 1, "second": 1, "tie": 2})
    );
    assert_eq!(lines(&sandbox, "flux/judgements.jsonl").len(), 2 + 2 + 4);
    sandbox.write("votes.csv", "rater,prompt_id,seed,verdict\nana,haf-0009,0,pass\n");
    let run = sandbox.asap(&line("--protocol aer.v1 --judge human:votes.csv"));
    assert_eq!(
        run.snapshot(),
        "exit 1\n--- stderr\nerror: `votes.csv` line 2: the run has no prompt `haf-0009`\n"
    );
    assert_eq!(
        lines(&sandbox, "flux/judgements.jsonl").len(),
        8,
        "nothing is lost"
    );
}
