//! Reads the sizes of a UNet and refuses what is not implemented.

use std::path::Path;

use serde_json::json;

use crate::Result;
use crate::config_file::ConfigFile;
use crate::sdxl::UnetConfig;

impl UnetConfig {
    /// Reads diffusers' `config.json`, or the one in the folder at `path`.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io); [`Error::File`](crate::Error::File) with the key, what is implemented and what is there.
    pub fn read(path: &Path) -> Result<Self> {
        let file = ConfigFile::read(path, "config.json")?;
        refuse_variants(&file)?;
        let block_channels: Vec<i64> = file.get("block_out_channels", "a list of channels", None)?;
        let n = block_channels.len();
        let whole = "a whole number";
        let size_dim = file.get("addition_time_embed_dim", whole, None)?;
        let both: i64 = file.get("projection_class_embeddings_input_dim", whole, None)?;
        let config = Self {
            in_channels: file.get("in_channels", whole, Some(4))?,
            out_channels: file.get("out_channels", whole, Some(4))?,
            down_blocks: file.get(
                "down_block_types",
                "`DownBlock2D` and `CrossAttnDownBlock2D`",
                None,
            )?,
            up_blocks: file.get("up_block_types", "`UpBlock2D` and `CrossAttnUpBlock2D`", None)?,
            layers_per_block: file.get("layers_per_block", whole, Some(2))?,
            transformer_layers: file.each("transformer_layers_per_block", n)?,
            n_heads: file.each("attention_head_dim", n)?,
            token_dim: file.get("cross_attention_dim", whole, None)?,
            norm_groups: file.get("norm_num_groups", whole, Some(32))?,
            norm_eps: file.get("norm_eps", "a number", Some(1e-5))?,
            projects_linearly: file.get("use_linear_projection", "true or false", Some(false))?,
            size_dim,
            pooled_dim: both - 6 * size_dim,
            block_channels,
        };
        config.check(&file)?;
        file.finish()?;
        Ok(config)
    }

    fn check(&self, file: &ConfigFile) -> Result<()> {
        let n = self.block_channels.len();
        let refuse = |key: &str, expected: String| -> Result<()> { Err(file.refused(key, &expected)) };
        if n == 0
            || self
                .block_channels
                .iter()
                .any(|&channels| channels < 2 || channels % 2 != 0)
        {
            return refuse("block_out_channels", "even numbers".to_owned());
        }
        for (key, blocks) in [
            ("down_block_types", &self.down_blocks),
            ("up_block_types", &self.up_blocks),
        ] {
            if blocks.len() != n {
                return refuse(key, format!("{n} blocks, as many as `block_out_channels`"));
            }
        }
        let divides = |divisor: i64, n: i64| divisor > 0 && n % divisor == 0;
        if !self
            .block_channels
            .iter()
            .all(|&channels| divides(self.norm_groups, channels))
        {
            return refuse(
                "norm_num_groups",
                format!("a divisor of each of {:?}", self.block_channels),
            );
        }
        let mut heads = self.n_heads.iter().zip(&self.block_channels);
        if !heads.all(|(&heads, &channels)| divides(heads, channels)) {
            return refuse(
                "attention_head_dim",
                format!("divisors of {:?}", self.block_channels),
            );
        }
        if self.size_dim < 2 || self.size_dim % 2 != 0 {
            return refuse("addition_time_embed_dim", "an even number".to_owned());
        }
        if self.pooled_dim < 1 {
            let sizes = 6 * self.size_dim;
            return refuse(
                "projection_class_embeddings_input_dim",
                format!("more than {sizes}, the width of the six sizes"),
            );
        }
        if self.layers_per_block == 0 {
            return refuse("layers_per_block", "at least 1".to_owned());
        }
        Ok(())
    }
}

/// Refuses what diffusers' class can be and SDXL is not.
fn refuse_variants(file: &ConfigFile) -> Result<()> {
    let addition: String = file.get("addition_embed_type", "\"text_time\"", None)?;
    if addition != "text_time" {
        return Err(file.refused("addition_embed_type", "\"text_time\""));
    }
    for (key, implemented) in [
        ("act_fn", json!("silu")),
        ("attention_type", json!("default")),
        ("center_input_sample", json!(false)),
        ("class_embed_type", json!(null)),
        ("class_embeddings_concat", json!(false)),
        ("conv_in_kernel", json!(3)),
        ("conv_out_kernel", json!(3)),
        ("cross_attention_norm", json!(null)),
        ("downsample_padding", json!(1)),
        ("dropout", json!(0)),
        ("dual_cross_attention", json!(false)),
        ("encoder_hid_dim", json!(null)),
        ("encoder_hid_dim_type", json!(null)),
        ("flip_sin_to_cos", json!(true)),
        ("freq_shift", json!(0)),
        ("mid_block_only_cross_attention", json!(null)),
        ("mid_block_scale_factor", json!(1)),
        ("mid_block_type", json!("UNetMidBlock2DCrossAttn")),
        ("num_attention_heads", json!(null)),
        ("num_class_embeds", json!(null)),
        ("only_cross_attention", json!(false)),
        ("resnet_out_scale_factor", json!(1)),
        ("resnet_skip_time_act", json!(false)),
        ("resnet_time_scale_shift", json!("default")),
        ("reverse_transformer_layers_per_block", json!(null)),
        ("time_cond_proj_dim", json!(null)),
        ("time_embedding_act_fn", json!(null)),
        ("time_embedding_dim", json!(null)),
        ("time_embedding_type", json!("positional")),
        ("timestep_post_act", json!(null)),
        ("upcast_attention", json!(null)),
    ] {
        file.only(key, &implemented)?;
    }
    file.ignore(&[
        // The usual size of latents, and a key of another kind of embedding.
        "sample_size",
        "addition_embed_type_num_heads",
        // Left by trainers that keep a moving average.
        "decay",
        "inv_gamma",
        "min_decay",
        "optimization_step",
        "power",
        "update_after_step",
        "use_ema_warmup",
    ]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The configuration that SDXL 1.0 is published with.
    const PUBLISHED: &str = r#"{
        "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.19.0.dev0", "act_fn": "silu",
        "addition_embed_type": "text_time", "addition_embed_type_num_heads": 64,
        "addition_time_embed_dim": 256, "attention_head_dim": [5, 10, 20],
        "block_out_channels": [320, 640, 1280], "center_input_sample": false, "class_embed_type": null,
        "class_embeddings_concat": false, "conv_in_kernel": 3, "conv_out_kernel": 3,
        "cross_attention_dim": 2048, "cross_attention_norm": null,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "downsample_padding": 1, "dual_cross_attention": false, "encoder_hid_dim": null,
        "encoder_hid_dim_type": null, "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4,
        "layers_per_block": 2, "mid_block_only_cross_attention": null, "mid_block_scale_factor": 1,
        "mid_block_type": "UNetMidBlock2DCrossAttn", "norm_eps": 1e-05, "norm_num_groups": 32,
        "num_attention_heads": null, "num_class_embeds": null, "only_cross_attention": false,
        "out_channels": 4, "projection_class_embeddings_input_dim": 2816, "resnet_out_scale_factor": 1.0,
        "resnet_skip_time_act": false, "resnet_time_scale_shift": "default", "sample_size": 128,
        "time_cond_proj_dim": null, "time_embedding_act_fn": null, "time_embedding_dim": null,
        "time_embedding_type": "positional", "timestep_post_act": null,
        "transformer_layers_per_block": [1, 2, 10],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        "upcast_attention": null, "use_linear_projection": true
    }"#;

    fn read(text: &str) -> Result<UnetConfig> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        UnetConfig::read(folder.path())
    }

    #[test]
    fn the_published_configuration_is_that_of_sdxl() {
        assert_eq!(read(PUBLISHED).unwrap(), UnetConfig::sdxl());
    }

    fn check_refused(from: &str, to: &str, expected: &str) {
        assert!(PUBLISHED.contains(from), "{from}");
        let error = read(&PUBLISHED.replace(from, to)).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }

    #[test]
    fn what_is_not_implemented_is_refused_with_its_key() {
        check_refused(
            r#""class_embed_type": null"#,
            r#""class_embed_type": "timestep""#,
            r#"expected `class_embed_type` to be null, got "timestep""#,
        );
        check_refused(
            r#""mid_block_type": "UNetMidBlock2DCrossAttn""#,
            r#""mid_block_type": "UNetMidBlock2D""#,
            r#"expected `mid_block_type` to be "UNetMidBlock2DCrossAttn", got "UNetMidBlock2D""#,
        );
        check_refused(
            r#"["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"]"#,
            r#"["DownBlock2D", "AttnDownBlock2D"]"#,
            r#"`DownBlock2D` and `CrossAttnDownBlock2D`, got ["DownBlock2D","AttnDownBlock2D"]"#,
        );
        check_refused(
            r#""addition_embed_type": "text_time", "#,
            "",
            r#"expected `addition_embed_type` to be "text_time", got no such key"#,
        );
        check_refused(
            r#""upcast_attention": null"#,
            r#""rotary": true"#,
            "expected keys that are implemented, got `rotary`: true",
        );
    }

    #[test]
    fn sizes_that_contradict_each_other_are_refused() {
        check_refused(
            r#""attention_head_dim": [5, 10, 20]"#,
            r#""attention_head_dim": [5, 10, 21]"#,
            "expected `attention_head_dim` to be divisors of [320, 640, 1280], got [5,10,21]",
        );
        check_refused(
            r#""transformer_layers_per_block": [1, 2, 10]"#,
            r#""transformer_layers_per_block": [1, [2, 2], 10]"#,
            "to be a whole number or 3 of them, got [1,[2,2],10]",
        );
        check_refused(
            "2816",
            "1536",
            "to be more than 1536, the width of the six sizes, got 1536",
        );
    }
}
