//! The command line itself: help, usage errors, completions.

use crate::harness::{Sandbox, check};

const COMMANDS: [&str; 29] = [
    "synth photos",
    "synth figures",
    "curate",
    "data list",
    "data stats",
    "data verify",
    "data export",
    "data import",
    "data versions",
    "data compact",
    "data show",
    "bench generate",
    "bench adopt",
    "bench from-hap",
    "bench judge",
    "bench rehearse",
    "bench report",
    "bench verify",
    "bench prompts validate",
    "bench prompts stats",
    "bench score",
    "votes verify",
    "votes export",
    "weights list",
    "weights convert",
    "weights check",
    "pose-map",
    "serve",
    "completions",
];

#[test]
fn every_command_shows_examples() {
    let sandbox = Sandbox::new();
    for command in COMMANDS {
        let help = sandbox.ok(&format!("{command} --help"));
        assert!(help.contains(&format!("Usage: asap {command}")), "{help}");
        assert!(
            help.contains("Examples:\n  asap "),
            "`{command}` shows no example\n{help}"
        );
    }
}

#[test]
fn examples_are_command_lines_that_parse() {
    let sandbox = Sandbox::new();
    // No dataset, so that every example ends soon.
    sandbox.write("hap.lance", "");
    let mut n_examples = 0;
    for command in COMMANDS {
        let help = sandbox.ok(&format!("{command} --help"));
        for line in help.lines().filter_map(|line| line.strip_prefix("  asap ")) {
            let words = line.split(['#', '|', '>']).next().unwrap();
            // A folder that is not there is a failure (1), a wrong command line a usage error (2).
            let run = sandbox.asap(&words.replace("0.0.0.0:8080", "127.0.0.1:0"));
            assert_ne!(run.code, Some(2), "`asap {words}`\n{}", run.snapshot());
            n_examples += 1;
        }
    }
    assert!(n_examples >= 20, "{n_examples}");
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    let sandbox = Sandbox::new();
    check(
        &sandbox,
        "synth figures --out a.lance",
        "
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          --n <N>

        Usage: asap synth figures --n <N> --out <DATASET>

        For more information, try '--help'.
        ",
    );
    check(
        &sandbox,
        "synth photos . --out a.lance --long-side 5",
        "
        exit 2
        --- stderr
        error: invalid value '5' for '--long-side <PX>': expected 0 or 128 to 16384 pixels

        For more information, try '--help'.
        ",
    );
    for line in [
        "",
        "paint",
        "synth figures --n 0 --out a.lance",
        "data stats",
        "serve --data a --addr here",
    ] {
        assert_eq!(sandbox.asap(line).code, Some(2), "`asap {line}`");
    }
    assert!(!sandbox.path("a.lance").exists());
}

#[test]
fn completions_are_printed_for_each_shell() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = sandbox.ok(&format!("completions {shell}"));
        assert!(script.contains("asap") && script.contains("pose-map"), "{shell}");
    }
}

#[test]
fn nothing_that_is_not_there_is_made_by_reading_it() {
    let sandbox = Sandbox::new();
    for command in [
        "curate",
        "data list",
        "data stats",
        "data verify",
        "data versions",
        "data compact",
    ] {
        let run = sandbox.asap(&format!("{command} none.lance"));
        assert_eq!(run.code, Some(1), "{}", run.snapshot());
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains("`none.lance`"), "{}", run.stderr);
        assert!(!sandbox.path("none.lance").exists(), "`{command}` made a dataset");
    }
}
