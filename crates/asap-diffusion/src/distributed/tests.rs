//! Processes on this machine that meet: a test starts its own binary again, once for each process.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tch::{Device, Kind, Tensor};

use crate::distributed::*;
use crate::testing::{python, values};

/// Set in the processes that a test starts.
const ROLE: &str = "ASAP_TEST_MEMBER";

fn is_member() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// This binary with nothing but this test.
fn arguments(test: &str) -> [String; 3] {
    let name = format!("distributed::tests::{test}");
    ["--exact".to_owned(), name, "--nocapture".to_owned()]
}

fn free_port() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port().to_string()
}

/// Runs the test in two processes, as a launcher would start them.
fn in_two_processes(test: &str) -> Vec<Output> {
    let port = free_port();
    let start = |rank: usize| {
        Command::new(std::env::current_exe().unwrap())
            .args(arguments(test))
            .env(ROLE, "1")
            .env("WORLD_SIZE", "2")
            .env("RANK", rank.to_string())
            .env("MASTER_ADDR", "127.0.0.1")
            .env("MASTER_PORT", &port)
            .env_remove("TORCHELASTIC_USE_AGENT_STORE")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let members = [start(0), start(1)];
    members
        .into_iter()
        .map(|member| member.wait_with_output().unwrap())
        .collect()
}

fn assert_passed(output: &Output) {
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{errors}");
    assert!(out.contains("test result: ok"), "{out}\n{errors}");
}

/// What every member checks, however it was started.
fn check_collectives(group: &Group) {
    let rank = group.rank();
    assert_eq!(group.size(), 2);
    let mine = |at: i64| Tensor::from_slice(&[at as f32, rank as f32, 0.1 + rank as f32]);
    // One contiguous, one not: what comes back must arrive in both.
    let tensors = [mine(1), Tensor::stack(&[mine(2), mine(3)], 0).tr()];
    group.sum(&tensors).unwrap();
    assert_eq!(Vec::<f32>::try_from(&tensors[0]).unwrap(), [2.0, 1.0, 0.1 + 1.1]);
    assert_eq!(tensors[1].double_value(&[0, 1]), 6.0);
    assert_eq!(tensors[1].size(), [3, 2]);

    let told = Tensor::from_slice(&values(&format!("rank.{rank}"), 5, 1.0));
    group.broadcast(std::slice::from_ref(&told), 1).unwrap();
    assert_eq!(Vec::<f32>::try_from(&told).unwrap(), values("rank.1", 5, 1.0));

    let mut counts = [1.0, rank as f64, 1e-12];
    group.sum_f64(&mut counts).unwrap();
    assert_eq!(counts, [2.0, 1.0, 2e-12]);

    let half = tensors[0].to_kind(Kind::BFloat16);
    let refused = group.sum(&[half]).unwrap_err().to_string();
    assert_eq!(
        refused,
        "a tensor that processes share: expected f32, got BFloat16"
    );
    group.barrier().unwrap();
}

/// Each process has half of the samples; the mean of their gradients is the gradient of all samples.
fn check_gradients(group: &Group) {
    let tensor = |name: &str, shape: [i64; 2]| {
        let n = usize::try_from(shape[0] * shape[1]).unwrap();
        Tensor::from_slice(&values(name, n, 1.0)).reshape(shape)
    };
    let gradients = |x: &Tensor, y: &Tensor| {
        let weight = tensor("weight", [6, 3]).set_requires_grad(true);
        let bias = tensor("bias", [1, 3]).set_requires_grad(true);
        let error = (x.matmul(&weight) + &bias).tanh() - y;
        error.square().mean(Kind::Float).backward();
        [weight.grad(), bias.grad()]
    };
    let (x, y) = (tensor("x", [8, 6]), tensor("y", [8, 3]));
    let start = 4 * group.rank() as i64;
    let shared = gradients(&x.narrow(0, start, 4), &y.narrow(0, start, 4));
    group.sum(&shared).unwrap();
    for (shared, whole) in shared.iter().zip(gradients(&x, &y)) {
        let apart = (shared / 2.0 - whole).abs().max().double_value(&[]);
        assert!(apart < 1e-7, "{apart:e} apart");
    }
    // The same bits everywhere, or the weights of the processes would drift apart.
    let firsts = [shared[0].copy(), shared[1].copy()];
    group.broadcast(&firsts, 0).unwrap();
    assert_eq!(firsts, shared);
}

#[test]
fn two_processes_compute_as_one() {
    if is_member() {
        let group = Group::from_env().unwrap().unwrap();
        check_collectives(&group);
        check_gradients(&group);
        return;
    }
    for output in in_two_processes("two_processes_compute_as_one") {
        assert_passed(&output);
    }
}

#[test]
fn a_process_that_ended_is_an_error_for_the_others() {
    if is_member() {
        let group = Group::from_env().unwrap().unwrap();
        let ones = Tensor::ones([4], (Kind::Float, Device::Cpu));
        group.sum(std::slice::from_ref(&ones)).unwrap();
        if group.rank() == 1 {
            std::process::exit(7);
        }
        let begun = Instant::now();
        let error = group.sum(&[ones]).unwrap_err().to_string();
        assert!(begun.elapsed() < TIMEOUT / 2, "noticed at once, not by the clock");
        assert!(
            error.starts_with("libtorch failed in a sum over processes: "),
            "{error}"
        );
        return;
    }
    let outputs = in_two_processes("a_process_that_ended_is_an_error_for_the_others");
    assert_passed(&outputs[0]);
    assert_eq!(outputs[1].status.code(), Some(7));
}

#[test]
fn a_process_that_hangs_is_an_error_after_the_timeout() {
    if is_member() {
        let member = Member::from_env().unwrap().unwrap();
        let timeout = Duration::from_secs(4);
        let group = Group::meet(member, Transport::Gloo, timeout).unwrap();
        if group.rank() == 1 {
            std::thread::sleep(2 * timeout);
            return;
        }
        let begun = Instant::now();
        let ones = Tensor::ones([4], (Kind::Float, Device::Cpu));
        let error = group.sum(&[ones]).unwrap_err().to_string();
        assert!(error.to_lowercase().contains("timed out"), "{error}");
        assert!(begun.elapsed() < 2 * timeout, "{:?}", begun.elapsed());
        return;
    }
    for output in in_two_processes("a_process_that_hangs_is_an_error_after_the_timeout") {
        assert_passed(&output);
    }
}

#[test]
fn one_that_comes_alone_is_told_after_the_timeout() {
    let port = free_port();
    let member = Member::read(|name| match name {
        "WORLD_SIZE" => Some("2".to_owned()),
        "RANK" => Some("1".to_owned()),
        "MASTER_ADDR" => Some("127.0.0.1".to_owned()),
        "MASTER_PORT" => Some(port.clone()),
        _ => None,
    });
    let member = member.unwrap().unwrap();
    let outcome = Group::meet(member, Transport::Gloo, Duration::from_secs(1));
    let error = outcome.map(|_| ()).unwrap_err().to_string();
    assert!(
        error.starts_with("libtorch failed in the meeting of processes: ") && error.contains("timed out"),
        "{error}"
    );
}

#[test]
fn torchrun_starts_a_group() {
    if is_member() {
        let group = Group::from_env().unwrap().unwrap();
        check_collectives(&group);
        return;
    }
    let Some(python) = python::interpreter("torchrun") else {
        return;
    };
    let port = free_port();
    let output = Command::new(python)
        .args([
            "-m",
            "torch.distributed.run",
            "--no-python",
            "--nproc-per-node",
            "2",
        ])
        .args(["--master-addr", "127.0.0.1", "--master-port", &port])
        .arg(std::env::current_exe().unwrap())
        .args(arguments("torchrun_starts_a_group"))
        .env(ROLE, "1")
        .output()
        .unwrap();
    assert_passed(&output);
    let n_passed = String::from_utf8_lossy(&output.stdout)
        .matches("test result: ok. 1 passed")
        .count();
    assert_eq!(n_passed, 2);
}
