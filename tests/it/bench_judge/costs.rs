//! Estimates, limits and price files.

use asap_remote::stub::Rules;

use super::{PASS, Server, failed_with, judge_line, lines, make_run};
use crate::harness::Sandbox;

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
