//! Names of layers in diffusers and in the original checkpoints, where some layers are stored as one.

mod flux;
mod sdxl;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Backbone;

/// A layer of the original checkpoint and the layers of diffusers that it consists of, in the order of its rows.
pub(super) struct Group {
    /// With dots, such as `double_blocks.0.img_attn.qkv`.
    pub(super) original: String,
    /// Such as `transformer_blocks.0.attn.to_q`, `…to_k`, `…to_v`.
    pub(super) paths: Vec<String>,
}

/// All linear layers of a backbone.
pub(super) struct Table {
    groups: Vec<Group>,
    by_original: BTreeMap<String, usize>,
    by_path: BTreeMap<String, usize>,
    paths_by_flat: BTreeMap<String, String>,
}

static FLUX: LazyLock<Table> = LazyLock::new(|| Table::new(flux::groups()));
static SDXL: LazyLock<Table> = LazyLock::new(|| Table::new(sdxl::groups()));

/// What kohya's names are made of: dots are underscores.
pub(super) fn flat(name: &str) -> String {
    name.replace('.', "_")
}

impl Table {
    pub(super) fn of(backbone: Backbone) -> &'static Self {
        match backbone {
            Backbone::Flux => &FLUX,
            Backbone::Sdxl => &SDXL,
        }
    }

    fn new(groups: Vec<Group>) -> Self {
        let each = || groups.iter().enumerate();
        let by_original = each().map(|(at, group)| (flat(&group.original), at)).collect();
        let by_path = each()
            .flat_map(|(at, group)| group.paths.iter().map(move |path| (path.clone(), at)))
            .collect();
        let paths_by_flat = groups
            .iter()
            .flat_map(|group| group.paths.iter().map(|path| (flat(path), path.clone())))
            .collect();
        Self {
            by_original,
            by_path,
            paths_by_flat,
            groups,
        }
    }

    /// The group that a layer of diffusers belongs to.
    pub(super) fn group_of(&self, path: &str) -> Option<&Group> {
        self.by_path.get(path).map(|&at| &self.groups[at])
    }

    /// The group of an original name with underscores.
    pub(super) fn group_named(&self, flat_original: &str) -> Option<&Group> {
        self.by_original.get(flat_original).map(|&at| &self.groups[at])
    }

    /// The layer of diffusers whose path is this one with underscores.
    pub(super) fn path_named(&self, flat_path: &str) -> Option<&str> {
        self.paths_by_flat.get(flat_path).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_original_checkpoints() {
        let original = |backbone, path: &str| {
            let group = Table::of(backbone).group_of(path);
            group.map_or_else(|| "none".to_owned(), |group| group.original.clone())
        };
        let flux = |path| original(Backbone::Flux, path);
        assert_eq!(
            flux("transformer_blocks.18.attn.add_v_proj"),
            "double_blocks.18.txt_attn.qkv"
        );
        assert_eq!(
            flux("single_transformer_blocks.37.proj_mlp"),
            "single_blocks.37.linear1"
        );
        assert_eq!(flux("transformer_blocks.19.attn.to_q"), "none");
        let sdxl = |path| original(Backbone::Sdxl, path);
        assert_eq!(
            sdxl("down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_out.0"),
            "input_blocks.8.1.transformer_blocks.9.attn2.to_out.0"
        );
        assert_eq!(
            sdxl("up_blocks.1.attentions.2.proj_in"),
            "output_blocks.5.1.proj_in"
        );
        assert_eq!(
            sdxl("mid_block.resnets.1.time_emb_proj"),
            "middle_block.2.emb_layers.1"
        );
        // What SD 1.5 has and SDXL has not.
        assert_eq!(
            sdxl("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"),
            "none"
        );
    }

    #[test]
    fn no_name_stands_for_two_layers() {
        for backbone in [Backbone::Flux, Backbone::Sdxl] {
            let table = Table::of(backbone);
            let n_paths: usize = table.groups.iter().map(|group| group.paths.len()).sum();
            assert_eq!(table.by_original.len(), table.groups.len());
            assert_eq!(table.by_path.len(), n_paths);
            assert_eq!(table.paths_by_flat.len(), n_paths);
        }
    }
}
