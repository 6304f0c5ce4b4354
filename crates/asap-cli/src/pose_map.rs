//! `asap pose-map`: the people of one image as a ControlNet condition.

use anyhow::{Context as _, Result};
use asap_synth::photo::poses;
use asap_synth::pose_map::{self, DrawAt};
use asap_synth::raster::encode_png;

use crate::args::PoseMapArgs;
use crate::failure::hinted;
use crate::printer::Printer;

pub(crate) fn run(args: &PoseMapArgs, printer: Printer) -> Result<()> {
    let entries = poses::read(&args.poses)?;
    let file = args.poses.display();
    let entry = entries.into_iter().find(|(name, _)| *name == args.image);
    let (_, posed) = entry.ok_or_else(|| {
        hinted(
            format!("`{file}` does not list `{}`", args.image),
            "give the file name as the poses file has it",
        )
    })?;
    let posed = posed.map_err(|reason| anyhow::anyhow!("`{}` in `{file}`: {reason}", args.image))?;
    let (width, height) = posed.size.ok_or_else(|| {
        hinted(
            format!("`{file}` does not say how large `{}` is", args.image),
            "add its `width` and `height` in pixels",
        )
    })?;
    let people: Vec<_> = posed
        .people
        .into_iter()
        .filter_map(|person| person.skeleton)
        .collect();
    if people.is_empty() {
        return Err(hinted(
            format!("`{file}` has no keypoints for `{}`", args.image),
            "boxes alone cannot be drawn: run a pose estimator on the image",
        ));
    }
    let map = pose_map::draw(&people, width, height, DrawAt::from(args.sticks))?;
    fs_err::write(&args.out, encode_png(&map)?).context("cannot write the pose map")?;
    printer.note(&format!(
        "`{}`: {} people on {width}x{height}",
        args.out.display(),
        people.len()
    ));
    Ok(())
}
