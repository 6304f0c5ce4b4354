//! Images from a server: drawn once, never overwritten.

use asap_remote::stub::{ImageReply, Rules};
use serde_json::Value;

use super::{PASS, Server, failed_with, judge_line, picture, prompts_jsonl, verdicts};
use crate::harness::Sandbox;

#[test]
fn images_are_drawn_once_and_judged() {
    let sandbox = Sandbox::new();
    sandbox.write("prompts.jsonl", prompts_jsonl(2));
    let server = Server::start(Rules::always(PASS).with_images(|question| {
        let seed = question.seed.unwrap_or(0) as usize;
        ImageReply::Image(picture(seed * 10 + question.prompts[0].len()))
    }));
    let line = format!(
        "bench generate --endpoint {} --model flux1-dev --name flux --samples 2 --concurrency 1 --size 512 --set steps=28 \
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
        "the run was begun with other settings: steps=28, now steps=4; choose another folder",
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
        r#"{"3":{"class_type":"KSampler","inputs":{"seed":"{{seed}}"}},"6":{"class_type":"CLIPTextEncode","inputs":{"text":"{{prompt}}"}},"9":{"class_type":"SaveImage","inputs":{"images":["3",0]}}}"#,
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
    assert!(sandbox.path("flux/images/haf-0000/0.png").is_file());
}
