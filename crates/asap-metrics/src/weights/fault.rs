//! What is wrong with a file of weights.

use std::fmt;

/// Why a file of weights is not used. The message is read after the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file could not be read or written.
    #[error("cannot {action}: {reason}")]
    Io {
        /// What was tried: `open`, `read`, `write`.
        action: &'static str,
        /// What the system says.
        reason: String,
    },
    /// The file ends too early, or says that something is larger than the file.
    #[error("{what}: expected {expected_bytes} bytes, the file has {got_bytes} left")]
    Truncated {
        /// The part of the file.
        what: String,
        /// Bytes that it should have.
        expected_bytes: u64,
        /// Bytes that are there.
        got_bytes: u64,
    },
    /// A format that is not read.
    #[error("expected {expected}, got {got}")]
    Format {
        /// What can be read.
        expected: &'static str,
        /// What the file seems to be.
        got: String,
    },
    /// The pickle names a class or function that is not on the list of what tensors need.
    #[error("the pickle asks for `{module}.{name}`, which weights do not need; nothing in the file was run")]
    UnknownGlobal {
        /// Its Python module.
        module: String,
        /// Its name there.
        name: String,
    },
    /// The pickle has an instruction that torch does not write for weights.
    #[error("pickle instruction 0x{opcode:02x} at byte {at}: weights do not need it")]
    UnknownOpcode {
        /// The instruction.
        opcode: u8,
        /// Where it is in the pickle.
        at: usize,
    },
    /// The pickle breaks its own rules.
    #[error("byte {at} of the pickle: {what}")]
    Pickle {
        /// What is wrong.
        what: &'static str,
        /// Where, from the start of the pickle.
        at: usize,
    },
    /// More of something than any real file has.
    #[error("{what}: expected at most {limit}, got more")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A tensor whose description is impossible.
    #[error("tensor `{name}`: {what}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// No tensor at all.
    #[error("expected named tensors, got none")]
    NoTensors,
    /// A tensor that the network needs is not there.
    #[error(
        "expected tensor `{name}` of `{network}`, got none of that name{}",
        Nearest(nearest)
    )]
    MissingTensor {
        /// The network.
        network: String,
        /// Its tensor.
        name: String,
        /// The most similar names in the file.
        nearest: Vec<String>,
    },
    /// A tensor of another size than the network's.
    #[error("tensor `{name}` of `{network}`: expected shape {expected:?}, got {got:?}")]
    Shape {
        /// The network.
        network: String,
        /// The tensor.
        name: String,
        /// The network's shape.
        expected: Vec<usize>,
        /// The file's shape.
        got: Vec<usize>,
    },
    /// A tensor of numbers that the network cannot use.
    #[error("tensor `{name}` of `{network}`: expected {expected}, got {got}")]
    Numbers {
        /// The network.
        network: String,
        /// The tensor.
        name: String,
        /// What is needed.
        expected: &'static str,
        /// What was found.
        got: String,
    },
    /// The tensors, or what stands beside them, are not those of the network.
    #[error("{what}")]
    Unfit {
        /// In what.
        what: String,
    },
    /// The content is not the pinned one.
    #[error("SHA-256: expected {expected} (pinned in {by}), got {got}")]
    Hash {
        /// The pinned hash, or its first digits.
        expected: String,
        /// The file's hash.
        got: String,
        /// Who pins it.
        by: String,
    },
    /// The file is not there.
    #[error("no such file; it holds {serves}")]
    Missing {
        /// What the weights are for.
        serves: String,
    },
}

/// The end of a message: what is there instead.
struct Nearest<'a>(&'a [String]);

impl fmt::Display for Nearest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (idx, name) in self.0.iter().enumerate() {
            let before = if idx == 0 { "; nearest: " } else { ", " };
            write!(f, "{before}`{name}`")?;
        }
        Ok(())
    }
}

impl Fault {
    /// A failed call of the system.
    pub(crate) fn io(action: &'static str, error: &std::io::Error) -> Self {
        Self::Io {
            action,
            reason: error.to_string(),
        }
    }
}
