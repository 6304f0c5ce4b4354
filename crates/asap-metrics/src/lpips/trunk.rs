//! AlexNet and VGG16 up to their last features that LPIPS looks at.
//!
//! # Source
//! `lpips/pretrained_networks.py` of the reference implementation, version 0.1: the `features` of torchvision's
//! networks, and which of their outputs are looked at.

use super::conv::{Conv, max_pool};
use super::plane::{LANES, Plane};
use super::span::{Span, Window};
use crate::Result;
use crate::weights::Weights;

/// Outputs that are looked at.
pub(crate) const N_TAPS: usize = 5;

/// A layer as the network's description has it.
#[derive(Clone, Copy, Debug)]
enum Plan {
    /// Index in torchvision's `features`, inputs, outputs, window.
    Conv(usize, usize, usize, Window),
    Pool(Window),
    /// The output so far is looked at.
    Tap,
}

/// A layer with its weights.
#[derive(Debug)]
enum Layer {
    Conv(Conv),
    Pool(Window),
    Tap,
}

/// A network up to its last tap.
#[derive(Debug)]
pub(crate) struct Trunk {
    layers: Vec<Layer>,
    /// Channels of each tap.
    channels: [usize; N_TAPS],
}

const fn window(side: usize, stride: usize, pad: usize) -> Window {
    Window { side, stride, pad }
}

/// Window of all convolutions of VGG and of the later ones of AlexNet.
const THREE: Window = window(3, 1, 1);
const ALEX_POOL: Window = window(3, 2, 0);
const VGG_POOL: Window = window(2, 2, 0);

const ALEX: &[Plan] = &[
    Plan::Conv(0, 3, 64, window(11, 4, 2)),
    Plan::Tap,
    Plan::Pool(ALEX_POOL),
    Plan::Conv(3, 64, 192, window(5, 1, 2)),
    Plan::Tap,
    Plan::Pool(ALEX_POOL),
    Plan::Conv(6, 192, 384, THREE),
    Plan::Tap,
    Plan::Conv(8, 384, 256, THREE),
    Plan::Tap,
    Plan::Conv(10, 256, 256, THREE),
    Plan::Tap,
];

const VGG: &[Plan] = &[
    Plan::Conv(0, 3, 64, THREE),
    Plan::Conv(2, 64, 64, THREE),
    Plan::Tap,
    Plan::Pool(VGG_POOL),
    Plan::Conv(5, 64, 128, THREE),
    Plan::Conv(7, 128, 128, THREE),
    Plan::Tap,
    Plan::Pool(VGG_POOL),
    Plan::Conv(10, 128, 256, THREE),
    Plan::Conv(12, 256, 256, THREE),
    Plan::Conv(14, 256, 256, THREE),
    Plan::Tap,
    Plan::Pool(VGG_POOL),
    Plan::Conv(17, 256, 512, THREE),
    Plan::Conv(19, 512, 512, THREE),
    Plan::Conv(21, 512, 512, THREE),
    Plan::Tap,
    Plan::Pool(VGG_POOL),
    Plan::Conv(24, 512, 512, THREE),
    Plan::Conv(26, 512, 512, THREE),
    Plan::Conv(28, 512, 512, THREE),
    Plan::Tap,
];

/// Which trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Alex,
    Vgg,
}

/// An image that is compared with the first one.
pub(crate) struct Other {
    pub(crate) image: Plane,
    /// A box outside of which it equals the first one.
    pub(crate) differs: Span,
}

/// What a layer holds of one other image.
struct State {
    plane: Plane,
    differs: Span,
}

/// What a layer computes.
struct Step {
    /// Size of its output.
    size: (usize, usize),
    /// The part of the output that later layers look at.
    needed: Span,
    /// Where the output of each other image may differ from that of the first one.
    differs: Vec<Span>,
}

impl Trunk {
    /// Takes the trunk's tensors out of torchvision's.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] where one is missing or has another shape.
    pub(crate) fn new(kind: Kind, weights: &Weights) -> Result<Self> {
        let mut layers = Vec::new();
        let mut channels = Vec::new();
        let mut last_outputs = 0;
        for plan in plan(kind) {
            layers.push(match *plan {
                Plan::Conv(idx, inputs, outputs, window) => {
                    last_outputs = outputs;
                    let shape = [outputs, inputs, window.side, window.side];
                    let kernel = weights.floats(&format!("features.{idx}.weight"), &shape)?;
                    let bias = weights.floats(&format!("features.{idx}.bias"), &[outputs])?;
                    Layer::Conv(Conv::new(&kernel, &bias, inputs, window))
                }
                Plan::Pool(window) => Layer::Pool(window),
                Plan::Tap => {
                    channels.push(last_outputs);
                    Layer::Tap
                }
            });
        }
        Ok(Self {
            layers,
            channels: channels.try_into().expect("both plans have five taps"),
        })
    }

    /// The channels of each tap.
    pub(crate) fn channels(&self) -> [usize; N_TAPS] {
        self.channels
    }

    /// The sides of the smallest square image that has an output at every tap.
    pub(crate) fn least_px(kind: Kind) -> u32 {
        let has_all = |&px: &u32| {
            let mut side = px as usize;
            for plan in plan(kind) {
                side = match *plan {
                    Plan::Conv(_, _, _, window) | Plan::Pool(window) => window.n_outputs(side),
                    Plan::Tap => side,
                };
            }
            side > 0
        };
        (1..).find(has_all).unwrap_or(u32::MAX)
    }

    /// Runs the first image and the others through the network side by side.
    ///
    /// At each tap `look` is given its index, the features of the first image, and of each other image its index,
    /// its features and the box outside of which they equal the first one's. Only what a tap's box needs is
    /// computed.
    pub(crate) fn run(
        &self,
        first: Plane,
        others: Vec<Other>,
        mut look: impl FnMut(usize, usize, &Plane, &Plane, &Span),
    ) {
        let steps = self.steps(first.size, &others);
        let mut first = first;
        let mut states: Vec<State> = others
            .into_iter()
            .map(|other| State {
                plane: other.image,
                differs: other.differs,
            })
            .collect();
        let mut tap = 0;
        for (idx, (layer, step)) in self.layers.iter().zip(&steps).enumerate() {
            if matches!(layer, Layer::Tap) {
                for (other, state) in states.iter().enumerate() {
                    look(tap, other, &first, &state.plane, &state.differs);
                }
                tap += 1;
                continue;
            }
            let rim = self.rim_after(idx);
            let mut next = empty(layer, &first, step, rim);
            apply(layer, &first, &mut next, &step.needed);
            for (state, differs) in states.iter_mut().zip(&step.differs) {
                let mut plane = if *differs == step.needed {
                    empty(layer, &first, step, rim)
                } else {
                    next.clone()
                };
                apply(layer, &state.plane, &mut plane, differs);
                state.plane = plane;
                state.differs = differs.clone();
            }
            first = next;
        }
    }

    /// The padding of the convolution that reads the output of layer `idx`, if one does.
    fn rim_after(&self, idx: usize) -> usize {
        let next = self.layers[idx + 1..]
            .iter()
            .find(|layer| !matches!(layer, Layer::Tap));
        match next {
            Some(Layer::Conv(conv)) => conv.window.pad,
            _ => 0,
        }
    }

    /// The padding of the first convolution.
    pub(crate) fn rim(&self) -> usize {
        match self.layers.first() {
            Some(Layer::Conv(conv)) => conv.window.pad,
            _ => 0,
        }
    }

    /// The part of the image that has to be looked at.
    pub(crate) fn needed(&self, size: (usize, usize), differs: &[Span]) -> Span {
        let (needed, _) = self.plan_steps(size, differs);
        needed
    }

    fn steps(&self, size: (usize, usize), others: &[Other]) -> Vec<Step> {
        let differs: Vec<Span> = others.iter().map(|other| other.differs.clone()).collect();
        self.plan_steps(size, &differs).1
    }

    /// Goes forward to see what differs, and back to see what is needed for it.
    fn plan_steps(&self, size: (usize, usize), differs: &[Span]) -> (Span, Vec<Step>) {
        let mut steps: Vec<Step> = Vec::with_capacity(self.layers.len());
        let (mut size, mut differs) = (size, differs.to_vec());
        let mut sizes = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            sizes.push(size);
            if let Some(window) = layer.window() {
                differs = differs
                    .iter()
                    .map(|span| span.seen_through(window, size))
                    .collect();
                size = (window.n_outputs(size.0), window.n_outputs(size.1));
            }
            steps.push(Step {
                size,
                needed: Span::EMPTY,
                differs: differs.clone(),
            });
        }
        let mut needed = Span::EMPTY;
        for ((layer, step), size) in self.layers.iter().zip(&mut steps).zip(&sizes).rev() {
            needed = step.differs.iter().fold(needed, |all, span| all.union(span));
            step.needed = needed.clone();
            if let Some(window) = layer.window() {
                needed = needed.needed_through(window, *size);
            }
        }
        (needed, steps)
    }
}

impl Layer {
    fn window(&self) -> Option<Window> {
        match self {
            Self::Conv(conv) => Some(conv.window),
            Self::Pool(window) => Some(*window),
            Self::Tap => None,
        }
    }
}

fn plan(kind: Kind) -> &'static [Plan] {
    match kind {
        Kind::Alex => ALEX,
        Kind::Vgg => VGG,
    }
}

/// An output of a layer with nothing in it yet.
fn empty(layer: &Layer, input: &Plane, step: &Step, rim: usize) -> Plane {
    let n_blocks = match layer {
        Layer::Conv(conv) => conv.n_out_blocks(),
        _ => input.n_blocks,
    };
    Plane::zeros(step.size, step.needed.clone(), (n_blocks, LANES), rim)
}

fn apply(layer: &Layer, input: &Plane, out: &mut Plane, span: &Span) {
    match layer {
        Layer::Conv(conv) => conv.apply(input, out, span),
        Layer::Pool(window) => max_pool(*window, input, out, span),
        Layer::Tap => {}
    }
}
