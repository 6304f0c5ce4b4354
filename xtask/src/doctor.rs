//! `doctor`: each tool, where it is, or the one command that gets it.

use std::process::Command;

use anyhow::Result;

use crate::args::Args;
use crate::context::Context;
use crate::tools::{bindgen, browser, postgres, protoc, torch, wasm};
use crate::{golden, shell, test};

struct Row {
    tool: String,
    serves: &'static str,
    /// Where it is, or the command that gets it.
    state: Result<String, String>,
}

pub(crate) fn doctor(context: &Context, args: Args) -> Result<()> {
    args.end()?;
    let mut rows = compilers(context);
    rows.extend(web(context)?);
    rows.extend(for_tests(context)?);
    print!("{}", table(&rows));
    println!("\ntarget folder: {}", context.target.display());
    println!("{}", summary(&rows));
    Ok(())
}

fn compilers(context: &Context) -> Vec<Row> {
    let rustc = shell::capture(context.clean("rustc").arg("--version"));
    let cargo = shell::capture(context.cargo().arg("--version"));
    let both = rustc.zip(cargo).map(|(rustc, cargo)| format!("{rustc}; {cargo}"));
    let linker = ["cc", "gcc", "clang"].iter().find_map(|name| shell::which(name));
    let protoc = protoc::locate(context).map(|found| {
        let version = said(Command::new(found.path()).arg("--version"));
        let plain = if found.needs_variable() {
            "; for plain cargo: export PROTOC="
        } else {
            ""
        };
        let path = found.path().display().to_string();
        if plain.is_empty() {
            format!("{path}, {version}")
        } else {
            format!("{path}, {version}{plain}{path}")
        }
    });
    let torch = torch::locate(context).map(|found| {
        let path = found.libtorch.display().to_string();
        format!("{path}; for plain cargo: export LIBTORCH={path}")
    });
    vec![
        row(
            "rustc and cargo",
            "everything",
            both,
            "rustup toolchain install stable",
        ),
        row(
            "C linker",
            "everything",
            linker.map(|path| path.display().to_string()),
            "sudo apt-get install gcc libc6-dev",
        ),
        row("protoc", "lance", protoc, "cargo xtask test"),
        row("libtorch", "trainer", torch, &torch::get()),
        row(
            "cargo-nextest",
            "quicker test runs (optional)",
            nextest(),
            "cargo install cargo-nextest --locked",
        ),
    ]
}

fn nextest() -> Option<String> {
    let path = shell::which("cargo-nextest")?;
    let version = said(Command::new(&path).args(["nextest", "--version"]));
    Some(format!("{}, {version}", path.display()))
}

fn web(context: &Context) -> Result<Vec<Row>> {
    let version = bindgen::wanted(&context.root)?;
    let compiler = wasm::locate(context).map(|found| found.describe());
    let program = bindgen::locate(context, &version).map(|path| path.display().to_string());
    let mut rows = vec![row("wasm compiler", "interactive viewer", compiler, &wasm::get())];
    rows.push(row(
        &format!("wasm-bindgen {version}"),
        "interactive viewer",
        program,
        "cargo xtask web",
    ));
    Ok(rows)
}

fn for_tests(context: &Context) -> Result<Vec<Row>> {
    let browser = browser::locate().map(|found| {
        let version = said(Command::new(&found.chromium).arg("--version"));
        format!(
            "{} and {}, {version}",
            found.chromium.display(),
            found.driver.display()
        )
    });
    let postgres = postgres::locate().map(|folder| {
        let version = said(Command::new(folder.join("postgres")).arg("--version"));
        format!("{}, {version}", folder.display())
    });
    let python = shell::which("python3").map(|path| {
        let version = said(Command::new(&path).arg("--version"));
        format!("{}, {version}", path.display())
    });
    let mut rows = vec![
        row("Chromium and driver", "browser tests", browser, &browser::get()),
        row("PostgreSQL", "tests of the arena", postgres, &postgres::get()),
        row(
            "python3",
            "Python environments",
            python,
            "sudo apt-get install python3 python3-venv",
        ),
    ];
    let requirements = context.root.join(test::REQUIREMENTS);
    if requirements.is_file() {
        let found = test::environment(&requirements)
            .locate(context)
            .map(|path| path.display().to_string());
        rows.push(row(
            "venv of the tests",
            "tests with other readers",
            found,
            "cargo xtask test",
        ));
    }
    for folder in golden::folders(&context.root)? {
        let requirements = folder.join("requirements.txt");
        let found = golden::environment(&context.root, &folder, &requirements).locate(context);
        let name = format!(
            "venv of {}",
            folder.strip_prefix(&context.root).unwrap_or(&folder).display()
        );
        rows.push(row(
            &name,
            "golden numbers",
            found.map(|path| path.display().to_string()),
            "cargo xtask golden",
        ));
    }
    Ok(rows)
}

fn said(command: &mut Command) -> String {
    let output = shell::capture(command).unwrap_or_else(|| "does not say its version".to_owned());
    output.lines().next().unwrap_or_default().to_owned()
}

fn row(tool: &str, serves: &'static str, found: Option<String>, get: &str) -> Row {
    Row {
        tool: tool.to_owned(),
        serves,
        state: found.ok_or_else(|| get.to_owned()),
    }
}

fn table(rows: &[Row]) -> String {
    let width = |of: fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let tool = width(|row| row.tool.len());
    let serves = width(|row| row.serves.len());
    let line = |row: &Row| {
        let (mark, text) = match &row.state {
            Ok(place) => ("found  ", place.clone()),
            Err(get) => ("missing", format!("get it with `{get}`")),
        };
        format!("{mark}  {:tool$}  {:serves$}  {text}\n", row.tool, row.serves)
    };
    rows.iter().map(line).collect()
}

fn summary(rows: &[Row]) -> String {
    let missing: Vec<&str> = rows
        .iter()
        .filter(|row| row.state.is_err())
        .map(|row| row.tool.as_str())
        .collect();
    if missing.is_empty() {
        return format!("all {} tools are there", rows.len());
    }
    let found = rows.len() - missing.len();
    format!(
        "{found} of {} tools are there; missing: {}; `cargo xtask demo` and `cargo xtask test` get what they need",
        rows.len(),
        missing.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_is_found_or_has_its_command() {
        let rows = [
            row("a", "x", Some("/bin/a".to_owned()), "get a"),
            row("long", "yy", None, "get b"),
        ];
        assert_eq!(
            table(&rows),
            "found    a     x   /bin/a\nmissing  long  yy  get it with `get b`\n"
        );
        assert!(summary(&rows).starts_with("1 of 2 tools are there; missing: long"));
        assert_eq!(summary(&rows[..1]), "all 1 tools are there");
    }
}
