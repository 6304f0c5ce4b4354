//! The variables by which torch's launchers tell a process its place.

use std::ffi::CString;
use std::str::FromStr;

use crate::{Error, Result};

/// The place of one process among several.
///
/// # Source
/// The `env://` rules of `torch.distributed`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// The number of this process, from 0.
    pub rank: usize,
    /// How many processes there are.
    pub size: usize,
    /// The number of this process on its machine, from 0: which of the machine's devices is its own.
    pub local_rank: usize,
    pub(super) host: CString,
    pub(super) port: u16,
    pub(super) hosts_store: bool,
}

impl Member {
    /// Reads RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT. `None` where WORLD_SIZE is not set or 1:
    /// this process works alone.
    ///
    /// # Errors
    /// [`Error::Argument`] where a variable is missing or is not a number in its range.
    pub fn from_env() -> Result<Option<Self>> {
        Self::read(|name| std::env::var(name).ok())
    }

    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        // torch takes an empty variable for one that is not set.
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        if variable("WORLD_SIZE").is_none() {
            return Ok(None);
        }
        let size: usize = number("WORLD_SIZE", variable("WORLD_SIZE"))?;
        if size == 1 {
            return Ok(None);
        }
        let rank = number("RANK", variable("RANK"))?;
        if rank >= size {
            return Err(Error::argument(
                "RANK",
                format!("a number below WORLD_SIZE, {size}"),
                rank,
            ));
        }
        let local_rank = variable("LOCAL_RANK");
        let local_rank = if local_rank.is_some() {
            number("LOCAL_RANK", local_rank)?
        } else {
            0
        };
        let host = variable("MASTER_ADDR").unwrap_or_default();
        let host = match CString::new(host.as_str()) {
            Ok(host) if !host.is_empty() => host,
            _ => {
                return Err(Error::argument(
                    "MASTER_ADDR",
                    "the name of a machine",
                    format!("`{host}`"),
                ));
            }
        };
        // Under torchrun the agent has the store already, so rank 0 is a client as well.
        let agent_hosts = variable("TORCHELASTIC_USE_AGENT_STORE").is_some_and(|value| value == "True");
        Ok(Some(Self {
            rank,
            size,
            local_rank,
            host,
            port: number("MASTER_PORT", variable("MASTER_PORT"))?,
            hosts_store: rank == 0 && !agent_hosts,
        }))
    }
}

fn number<T: FromStr>(name: &'static str, value: Option<String>) -> Result<T> {
    let value = value.unwrap_or_default();
    match value.parse() {
        Ok(number) => Ok(number),
        Err(_) => Err(Error::argument(
            name,
            "a number in its range",
            format!("`{value}`"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Member>> {
        Member::read(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const TWO: [(&str, &str); 4] = [
        ("WORLD_SIZE", "2"),
        ("RANK", "0"),
        ("MASTER_ADDR", "localhost"),
        ("MASTER_PORT", "29500"),
    ];

    #[test]
    fn one_process_is_no_group() {
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&[("WORLD_SIZE", ""), ("RANK", "0")]).unwrap(), None);
        assert_eq!(read(&[("WORLD_SIZE", "1"), ("RANK", "0")]).unwrap(), None);
    }

    #[test]
    fn the_first_process_hosts_the_store_unless_the_agent_does() {
        let first = read(&TWO).unwrap().unwrap();
        assert_eq!(
            (first.rank, first.size, first.local_rank, first.port),
            (0, 2, 0, 29500)
        );
        assert!(first.hosts_store);
        let mut agent = TWO.to_vec();
        agent.extend([("TORCHELASTIC_USE_AGENT_STORE", "True"), ("LOCAL_RANK", "1")]);
        let agent = read(&agent).unwrap().unwrap();
        assert!(!agent.hosts_store);
        assert_eq!(agent.local_rank, 1);
        let mut second = TWO;
        second[1].1 = "1";
        assert!(!read(&second).unwrap().unwrap().hosts_store);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let message = |at: usize, value| {
            let mut variables = TWO;
            variables[at].1 = value;
            read(&variables).unwrap_err().to_string()
        };
        assert_eq!(
            message(0, "two"),
            "WORLD_SIZE: expected a number in its range, got `two`"
        );
        assert_eq!(
            message(1, "2"),
            "RANK: expected a number below WORLD_SIZE, 2, got 2"
        );
        assert_eq!(
            message(2, ""),
            "MASTER_ADDR: expected the name of a machine, got ``"
        );
        assert_eq!(
            message(3, "70000"),
            "MASTER_PORT: expected a number in its range, got `70000`"
        );
    }
}
