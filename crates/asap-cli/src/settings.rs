//! What the arguments mean: files looked for, numbers turned into options. The order is preset, file,
//! environment, flag; clap settles the last two.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::args::{BuildArgs, FiguresArgs, PhotosArgs, ServeArgs, SynthCommand};
use crate::failure::hinted;

/// How and where pairs are built.
#[derive(Debug)]
pub(crate) struct BuildSettings {
    pub(crate) out: PathBuf,
    pub(crate) n_threads: usize,
}

/// A build from photographs.
#[derive(Debug)]
pub(crate) struct PhotoSettings {
    pub(crate) dir: PathBuf,
    pub(crate) poses: Option<PathBuf>,
    pub(crate) options: asap_synth::photo::Options,
    pub(crate) build: BuildSettings,
}

/// A build from figures.
#[derive(Debug)]
pub(crate) struct FigureSettings {
    pub(crate) options: asap_synth::figure::Options,
    pub(crate) build: BuildSettings,
}

/// What `asap synth` is to do.
#[derive(Debug)]
pub(crate) enum SynthSettings {
    Photos(PhotoSettings),
    Figures(FigureSettings),
}

/// How the viewer is served.
#[derive(Debug)]
pub(crate) struct ServeSettings {
    pub(crate) data: PathBuf,
    pub(crate) addr: SocketAddr,
    pub(crate) site: Option<PathBuf>,
}

pub(crate) fn synth(command: SynthCommand) -> Result<SynthSettings> {
    Ok(match command {
        SynthCommand::Photos(args) => SynthSettings::Photos(photos(args)?),
        SynthCommand::Figures(args) => SynthSettings::Figures(figures(args)),
    })
}

pub(crate) fn serve(args: ServeArgs) -> Result<ServeSettings> {
    if let Some(site) = &args.site
        && !site.is_dir()
    {
        return Err(hinted(
            format!("no folder `{}`", site.display()),
            "`cargo xtask web` builds it; without `--site` the pages work as plain HTML",
        ));
    }
    Ok(ServeSettings {
        data: args.data,
        addr: args.addr,
        site: args.site.or_else(site_near_the_program),
    })
}

fn photos(args: PhotosArgs) -> Result<PhotoSettings> {
    let poses = args.poses.or_else(|| poses_in(&args.dir));
    if let Some(poses) = &poses
        && !poses.is_file()
    {
        return Err(hinted(
            format!("no poses file `{}`", poses.display()),
            "name a JSON file with keypoints or boxes after `--poses`",
        ));
    }
    Ok(PhotoSettings {
        dir: args.dir,
        poses,
        options: asap_synth::photo::Options {
            seed: args.build.seed,
            pairs_per_part: args.pairs_per_part,
            long_side_px: (args.long_side > 0).then_some(args.long_side),
        },
        build: build(args.build),
    })
}

fn figures(args: FiguresArgs) -> FigureSettings {
    FigureSettings {
        options: asap_synth::figure::Options {
            n: args.n as usize,
            seed: args.build.seed,
            size: args.size,
        },
        build: build(args.build),
    }
}

fn build(args: BuildArgs) -> BuildSettings {
    let n_cores = || std::thread::available_parallelism().map_or(1, usize::from);
    BuildSettings {
        out: args.out,
        n_threads: args.jobs.map_or_else(n_cores, usize::from),
    }
}

/// The poses file that lies beside the photographs.
fn poses_in(dir: &Path) -> Option<PathBuf> {
    ["people.json", "poses.json"]
        .into_iter()
        .map(|name| dir.join(name))
        .find(|path| path.is_file())
}

/// `target/debug/asap` finds `target/site`; an installed `bin/asap` finds `site` beside `bin`.
fn site_near_the_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let site = program.parent()?.parent()?.join("site");
    site.is_dir().then_some(site)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_poses_file_beside_the_photographs_is_found() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(poses_in(dir.path()), None);
        for name in ["poses.json", "people.json"] {
            std::fs::write(dir.path().join(name), "{}").unwrap();
            assert_eq!(poses_in(dir.path()), Some(dir.path().join(name)));
        }
    }
}
