//! `asap serve`: says where it listens, answers, and ends on Ctrl-C.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use crate::harness::{Running, Sandbox};
use crate::resume::interrupt;
use crate::synth::ids;

#[test]
fn pages_are_served_until_ctrl_c() {
    let sandbox = Sandbox::new();
    sandbox.ok("synth figures --n 2 --size 256 --out a.lance");
    let id = ids(&sandbox, "a.lance").pop_first().unwrap();
    let mut serving = sandbox.start("serve --data a.lance --addr 127.0.0.1:0");
    let addr = address(&mut serving);
    let page = get(&addr, "/");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("<!DOCTYPE html>"), "{page}");
    let page = get(&addr, &format!("/pairs/{id}"));
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains(&id[..8]),
        "{page}"
    );
    assert!(get(&addr, "/nowhere").starts_with("HTTP/1.1 404"));

    let taken = sandbox.asap(&format!("serve --data a.lance --addr {addr}"));
    assert_eq!(taken.code, Some(1));
    assert_eq!(
        taken.stderr,
        format!(
            "error: cannot listen on `{addr}`: Address already in use (os error 98)\n\
             hint: choose another port with `--addr`, or port 0 for a free one\n"
        )
    );
    interrupt(&serving);
    let code = serving.child.wait().unwrap().code();
    assert_eq!(code, Some(0));
}

/// The address in the line that the server prints when it listens.
fn address(serving: &mut Running) -> String {
    let mut line = String::new();
    BufReader::new(serving.child.stderr.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let addr = line.trim().strip_prefix("serving `a.lance` at http://");
    addr.unwrap_or_else(|| panic!("no address in `{line}`"))
        .to_owned()
}

fn get(addr: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
