//! A machine for the few pickle instructions that torch writes for weights.
//!
//! A pickle is a program. This machine knows no classes and calls nothing: the names on the list in
//! [`Global`] stand for fixed constructions of plain data, and every other name is refused. All that it makes
//! lies in flat lists, so neither a cycle nor a deep nest costs stack. An instruction makes at most one value, but
//! for the call that copies a list into a dictionary, and what that copies is counted as well: so memory is
//! bounded whatever the pickle says.

use std::collections::BTreeMap;

use super::Fault;
use super::dtype::Dtype;

/// The longest pickle that is looked at. Those of networks with thousands of tensors have a few hundred kB.
pub(crate) const MAX_PICKLE_BYTES: u64 = 16 << 20;
/// The most instructions.
pub(crate) const MAX_INSTRUCTIONS: u64 = 2_000_000;
/// The most dimensions of a tensor.
const MAX_RANK: usize = 8;

type Result<T> = std::result::Result<T, Fault>;

/// A value on the stack. Lists, tuples and dictionaries are indices into [`Pickle::nodes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    None,
    Bool(bool),
    /// Wide enough for the 10-byte magic number of old files.
    Int(i128),
    Float,
    Text(&'a str),
    Global(Global),
    Tuple(usize),
    List(usize),
    /// Keys and values in turn.
    Dict(usize),
    Storage(usize),
    Tensor(usize),
}

/// The names that a pickle may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Parameter,
    Size,
    Storage(Dtype),
}

impl Global {
    fn named(module: &str, name: &str) -> Result<Self> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            // Before torch 0.4 a parameter was pickled as a call of its class.
            ("torch.nn.parameter", "Parameter") => Self::Parameter,
            ("torch", "Size") => Self::Size,
            _ => match Dtype::of_storage(name) {
                Some(dtype) if module == "torch" => Self::Storage(dtype),
                _ => {
                    return Err(Fault::UnknownGlobal {
                        module: module.to_owned(),
                        name: name.to_owned(),
                    });
                }
            },
        })
    }
}

/// A storage that tensors look into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Storage<'a> {
    pub(crate) key: &'a str,
    pub(crate) dtype: Dtype,
    pub(crate) n_elements: u64,
}

/// A view into a storage; offset and strides count elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TensorView {
    pub(crate) storage: usize,
    pub(crate) offset: u64,
    pub(crate) shape: Vec<u64>,
    pub(crate) strides: Vec<u64>,
}

/// What a pickle holds.
#[derive(Debug)]
pub(crate) struct Pickle<'a> {
    pub(crate) root: Value<'a>,
    pub(crate) nodes: Vec<Vec<Value<'a>>>,
    pub(crate) storages: Vec<Storage<'a>>,
    pub(crate) tensors: Vec<TensorView>,
    /// The bytes up to and with the last instruction.
    pub(crate) n_bytes: usize,
}

/// Reads the pickle at the start of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> Result<Pickle<'_>> {
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
        n_copied: 0,
        out: Pickle {
            root: Value::None,
            nodes: Vec::new(),
            storages: Vec::new(),
            tensors: Vec::new(),
            n_bytes: 0,
        },
    };
    for _ in 0..MAX_INSTRUCTIONS {
        if machine.step()? == Step::Stop {
            machine.out.root = machine.pop()?;
            machine.out.n_bytes = machine.at;
            return Ok(machine.out);
        }
    }
    Err(Fault::Limit {
        what: "instructions of a pickle",
        limit: MAX_INSTRUCTIONS,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    GoOn,
    Stop,
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value<'a>>,
    /// Lengths of the stack where a mark was set.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Value<'a>>,
    /// Pairs copied into dictionaries.
    n_copied: u64,
    out: Pickle<'a>,
}

impl<'a> Machine<'a> {
    fn step(&mut self) -> Result<Step> {
        let at = self.at;
        let opcode = self.byte()?;
        match opcode {
            b'.' => return Ok(Step::Stop),
            // Protocol number; frame length, which only helps readers that stream.
            0x80 => _ = self.byte()?,
            0x95 => _ = self.take(8)?,
            b'(' => self.marks.push(self.stack.len()),
            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'J' | b'K' | b'M' | 0x8a => self.integer(opcode)?,
            b'G' => {
                self.take(8)?;
                self.stack.push(Value::Float);
            }
            b'X' | b'T' => {
                let n_bytes = self.u32()?;
                self.text(n_bytes as usize)?;
            }
            0x8c | b'U' => {
                let n_bytes = self.byte()?;
                self.text(n_bytes.into())?;
            }
            b'}' => self.push_node(Value::Dict, Vec::new()),
            b']' => self.push_node(Value::List, Vec::new()),
            b')' => self.push_node(Value::Tuple, Vec::new()),
            0x85..=0x87 => self.tuple((opcode - 0x84).into())?,
            b't' => {
                let items = self.after_mark()?;
                self.push_node(Value::Tuple, items);
            }
            b'a' | b'e' | b's' | b'u' => self.put_items(opcode)?,
            b'q' | b'r' | 0x94 => self.remember(opcode)?,
            b'h' | b'j' => self.recall(opcode)?,
            b'c' | 0x93 => self.global(opcode)?,
            b'R' | 0x81 => self.call()?,
            b'b' => self.build()?,
            b'Q' => self.persistent()?,
            _ => return Err(Fault::UnknownOpcode { opcode, at }),
        }
        Ok(Step::GoOn)
    }

    fn fault(&self, what: &'static str) -> Fault {
        Fault::Pickle { what, at: self.at }
    }

    fn take(&mut self, n_bytes: usize) -> Result<&'a [u8]> {
        let left = &self.bytes[self.at..];
        let Some(taken) = left.get(..n_bytes) else {
            return Err(Fault::Truncated {
                what: format!("pickle at byte {}", self.at),
                expected_bytes: n_bytes as u64,
                got_bytes: left.len() as u64,
            });
        };
        self.at += n_bytes;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn pop(&mut self) -> Result<Value<'a>> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= bottom {
            return Err(self.fault("the stack is empty"));
        }
        self.stack.pop().ok_or_else(|| self.fault("the stack is empty"))
    }

    /// Takes off everything above the last mark.
    fn after_mark(&mut self) -> Result<Vec<Value<'a>>> {
        let mark = self.marks.pop().ok_or_else(|| self.fault("there is no mark"))?;
        Ok(self.stack.split_off(mark))
    }

    fn push_node(&mut self, kind: fn(usize) -> Value<'a>, items: Vec<Value<'a>>) {
        self.stack.push(kind(self.out.nodes.len()));
        self.out.nodes.push(items);
    }

    fn integer(&mut self, opcode: u8) -> Result<()> {
        let value = match opcode {
            b'J' => i32::from_le_bytes(self.array()?).into(),
            b'K' => self.byte()?.into(),
            b'M' => u16::from_le_bytes(self.array()?).into(),
            _ => {
                let n_bytes = self.byte()?;
                let bytes = self.take(n_bytes.into())?;
                self.long(bytes)?
            }
        };
        self.stack.push(Value::Int(value));
        Ok(())
    }

    /// A little-endian two's complement number of any length up to 16 bytes.
    fn long(&self, bytes: &[u8]) -> Result<i128> {
        if bytes.len() > 16 {
            return Err(self.fault("an integer of more than 16 bytes"));
        }
        let is_negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
        let mut wide = [if is_negative { 0xff } else { 0 }; 16];
        wide[..bytes.len()].copy_from_slice(bytes);
        Ok(i128::from_le_bytes(wide))
    }

    fn text(&mut self, n_bytes: usize) -> Result<()> {
        let bytes = self.take(n_bytes)?;
        let text = std::str::from_utf8(bytes).map_err(|_not_utf8| self.fault("a text that is not UTF-8"))?;
        self.stack.push(Value::Text(text));
        Ok(())
    }

    fn tuple(&mut self, n_items: usize) -> Result<()> {
        let mut items = Vec::with_capacity(n_items);
        for _ in 0..n_items {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push_node(Value::Tuple, items);
        Ok(())
    }

    /// Appends to a list or puts into a dictionary, one item or all after the mark.
    fn put_items(&mut self, opcode: u8) -> Result<()> {
        let items = match opcode {
            b'a' => vec![self.pop()?],
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.after_mark()?,
        };
        let target = self.pop()?;
        self.stack.push(target);
        let node = match (opcode, target) {
            (b'a' | b'e', Value::List(node)) => node,
            (b's' | b'u', Value::Dict(node)) if items.len() % 2 == 0 => node,
            _ => return Err(self.fault("items for something that is no list or dictionary")),
        };
        self.out.nodes[node].extend(items);
        Ok(())
    }

    fn remember(&mut self, opcode: u8) -> Result<()> {
        let key = match opcode {
            b'q' => self.byte()?.into(),
            b'r' => self.u32()?,
            // Fits: there are fewer instructions than that.
            _ => self.memo.len() as u32,
        };
        let value = self.pop()?;
        self.stack.push(value);
        self.memo.insert(key, value);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<()> {
        let key = if opcode == b'h' {
            self.byte()?.into()
        } else {
            self.u32()?
        };
        let value = self.memo.get(&key).copied();
        let value = value.ok_or_else(|| self.fault("a value that was never remembered"))?;
        self.stack.push(value);
        Ok(())
    }

    fn global(&mut self, opcode: u8) -> Result<()> {
        let (module, name) = if opcode == b'c' {
            (self.line()?, self.line()?)
        } else {
            match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => (module, name),
                _ => return Err(self.fault("a name that is no text")),
            }
        };
        self.stack.push(Value::Global(Global::named(module, name)?));
        Ok(())
    }

    /// Text up to the end of the line.
    fn line(&mut self) -> Result<&'a str> {
        let left = &self.bytes[self.at..];
        let end = left.iter().position(|&byte| byte == b'\n');
        let end = end.ok_or_else(|| self.fault("a name without an end"))?;
        let line = self.take(end)?;
        self.take(1)?;
        std::str::from_utf8(line).map_err(|_not_utf8| self.fault("a name that is not UTF-8"))
    }

    /// Calls one of the known names.
    fn call(&mut self) -> Result<()> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let (Value::Tuple(node), Value::Global(global)) = (arguments, callee) else {
            return Err(self.fault("a call of something that cannot be called"));
        };
        match global {
            Global::OrderedDict => self.ordered_dict(node),
            Global::RebuildTensor => self.tensor(node),
            Global::RebuildParameter | Global::Parameter => match self.out.nodes[node].first() {
                Some(&tensor @ Value::Tensor(_)) => {
                    self.stack.push(tensor);
                    Ok(())
                }
                _ => Err(self.fault("a parameter without a tensor")),
            },
            Global::Size => match self.out.nodes[node].first() {
                Some(&sizes @ Value::Tuple(_)) => {
                    self.stack.push(sizes);
                    Ok(())
                }
                _ => Err(self.fault("a size that is no tuple")),
            },
            Global::Storage(_) => Err(self.fault("a call of something that cannot be called")),
        }
    }

    /// An ordered dictionary: empty, or of one list of pairs as Python 2 wrote it.
    fn ordered_dict(&mut self, arguments: usize) -> Result<()> {
        let mut items = Vec::new();
        match self.out.nodes[arguments].as_slice() {
            [] => {}
            &[Value::List(pairs)] => {
                self.n_copied += self.out.nodes[pairs].len() as u64;
                if self.n_copied > MAX_INSTRUCTIONS {
                    return Err(Fault::Limit {
                        what: "pairs copied by a pickle",
                        limit: MAX_INSTRUCTIONS,
                    });
                }
                for &pair in &self.out.nodes[pairs] {
                    let (Value::List(pair) | Value::Tuple(pair)) = pair else {
                        return Err(self.fault("a dictionary of something that is no pairs"));
                    };
                    let &[key, value] = self.out.nodes[pair].as_slice() else {
                        return Err(self.fault("a dictionary of something that is no pairs"));
                    };
                    items.extend([key, value]);
                }
            }
            _ => return Err(self.fault("a dictionary of something that is no pairs")),
        }
        self.push_node(Value::Dict, items);
        Ok(())
    }

    fn tensor(&mut self, arguments: usize) -> Result<()> {
        // Behind these come the need for a gradient, hooks and metadata, which weights do not have.
        let &[Value::Storage(storage), Value::Int(offset), sizes, strides, ..] =
            self.out.nodes[arguments].as_slice()
        else {
            return Err(self.fault("a tensor without storage, offset, size and strides"));
        };
        let offset = u64::try_from(offset).map_err(|_negative| self.fault("a negative offset"))?;
        let view = TensorView {
            storage,
            offset,
            shape: self.numbers(sizes)?,
            strides: self.numbers(strides)?,
        };
        if view.shape.len() != view.strides.len() {
            return Err(self.fault("a tensor with more sizes than strides, or fewer"));
        }
        self.stack.push(Value::Tensor(self.out.tensors.len()));
        self.out.tensors.push(view);
        Ok(())
    }

    fn numbers(&self, tuple: Value<'a>) -> Result<Vec<u64>> {
        let Value::Tuple(node) = tuple else {
            return Err(self.fault("sizes that are no tuple"));
        };
        let items = &self.out.nodes[node];
        if items.len() > MAX_RANK {
            return Err(Fault::Limit {
                what: "dimensions of a tensor",
                limit: MAX_RANK as u64,
            });
        }
        let each = items.iter().map(|item| match item {
            Value::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        });
        let numbers: Option<Vec<u64>> = each.collect();
        numbers.ok_or_else(|| self.fault("a size that is no natural number"))
    }

    /// State for an object that was made: attributes, which plain data does not have. Dropped.
    fn build(&mut self) -> Result<()> {
        self.pop()?;
        match self.stack.last() {
            Some(Value::Dict(_) | Value::Tensor(_)) => Ok(()),
            _ => Err(self.fault("state for something that has none")),
        }
    }

    /// What torch keeps outside of the pickle: storages.
    fn persistent(&mut self) -> Result<()> {
        let Value::Tuple(node) = self.pop()? else {
            return Err(self.fault("a reference that is no tuple"));
        };
        let items = self.out.nodes[node].as_slice();
        // The sixth item would make it a view of another storage, which torch no longer writes.
        let items = items.strip_suffix(&[Value::None]).unwrap_or(items);
        let &[
            Value::Text("storage"),
            Value::Global(Global::Storage(dtype)),
            Value::Text(key),
            Value::Text(_device),
            Value::Int(n_elements),
        ] = items
        else {
            return Err(self.fault("a reference to something that is no whole storage"));
        };
        let n_elements =
            u64::try_from(n_elements).map_err(|_negative| self.fault("a storage of negative size"))?;
        self.stack.push(Value::Storage(self.out.storages.len()));
        self.out.storages.push(Storage {
            key,
            dtype,
            n_elements,
        });
        Ok(())
    }
}
