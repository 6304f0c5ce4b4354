//! The two small matrices beside a linear layer.

use tch::{Kind, Tensor};

/// `x A^T B^T * scale`. The master weights are `f32` whatever the base is: at a learning rate of 5e-6 a `bf16`
/// weight would lose nine of ten updates.
pub(crate) struct LowRank {
    /// A, `[rank, n_in]`.
    down: Tensor,
    /// B, `[n_out, rank]`.
    up: Tensor,
    /// alpha / rank.
    scale: f64,
}

impl LowRank {
    /// `down` and `up` become leaves of the graph.
    pub(crate) fn new(down: &Tensor, up: &Tensor, scale: f64) -> Self {
        let leaf = |tensor: &Tensor| tensor.to_kind(Kind::Float).detach().set_requires_grad(true);
        Self {
            down: leaf(down),
            up: leaf(up),
            scale,
        }
    }

    /// In the numbers of `x`, as automatic mixed precision does it.
    pub(crate) fn forward(&self, x: &Tensor) -> Tensor {
        let kind = x.kind();
        let hidden = x.linear(&self.down.to_kind(kind), None::<&Tensor>);
        hidden.linear(&self.up.to_kind(kind), None::<&Tensor>) * self.scale
    }

    pub(crate) fn parameters(&self) -> [(&'static str, &Tensor); 2] {
        [("lora_A.weight", &self.down), ("lora_B.weight", &self.up)]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tch::Kind;

    use crate::device::{Place, Precision};
    use crate::lora::{Attachment, Backbone};
    use crate::nn::{Linear, sinusoid};
    use crate::run::Adapter;
    use crate::testing::{Golden, adapter, write_weights};
    use crate::weights::{Checkpoint, Loader};

    /// Output and gradients are PEFT's; the golden numbers are from `tests/golden/layers.py`.
    #[test]
    fn a_layer_with_adapter_is_that_of_peft() {
        let golden = Golden::read("layers");
        let folder = tempfile::tempdir().unwrap();
        write_weights(&folder.path().join("model.safetensors"), &golden.shapes("/keys"));
        let shapes = BTreeMap::from([
            ("to_q.lora_A.weight".to_owned(), vec![4, 12]),
            ("to_q.lora_B.weight".to_owned(), vec![10, 4]),
        ]);
        let base = Checkpoint::open(folder.path()).unwrap();
        let file = adapter(Backbone::Flux, &shapes, (1.0, 2.0));
        let attachment = Attachment::of(&file);
        let loader = Loader::new(&base, Place::Cpu, Precision::F32).with_adapters(&attachment);
        let layer = Linear::load(&loader.root().at("to_q"), 12, 10);
        let (layer, loaded) = loader.finish(layer).unwrap();
        assert_eq!(loaded.adapted, ["to_q"]);
        assert_eq!(loaded.n_trainable(), 4 * 12 + 10 * 4);

        let y = layer.forward(&Golden::input("x", &[2, 3, 12], 1.5), Adapter::On);
        golden.check("adapted", &y);
        (y * Golden::input("seed", &[2, 3, 10], 1.0))
            .sum(Kind::Float)
            .backward();
        for (parameter, name) in loaded.parameters.iter().zip(["grad.lora_A", "grad.lora_B"]) {
            golden.check(name, &parameter.tensor.grad());
        }
    }

    #[test]
    fn the_sinusoid_is_that_of_diffusers() {
        let times = tch::Tensor::from_slice(&[0f32, 1.0, 250.5, 999.0]);
        Golden::read("layers").check("sinusoid", &sinusoid(&times, 32));
    }
}
