//! Galleries of the page.

use std::fmt::Write as _;

use super::Page;
use crate::report::gallery::{Picture, Shown, ShownPair};
use crate::report::images::PictureFile;
use crate::report::plot::escape;

impl Page<'_> {
    /// Images and pairs on which judge and people disagree.
    pub(super) fn disputes(&self) -> String {
        let gallery = self.gallery;
        let mut html = String::new();
        for (n, n_shown, what) in [
            (gallery.n_disputed_images, gallery.disputed_images.len(), "images"),
            (gallery.n_disputed_pairs, gallery.disputed_pairs.len(), "pairs"),
        ] {
            if n == 0 {
                continue;
            }
            let shown = if n_shown < n {
                format!(", {n_shown} of them shown")
            } else {
                String::new()
            };
            _ = writeln!(html, "<h3>Judge and people disagree on {n} {what}{shown}</h3>");
            if what == "images" {
                html.push_str(&self.row(&gallery.disputed_images));
            } else {
                html.push_str("<ul class=\"pictures pairs\">\n");
                for pair in &gallery.disputed_pairs {
                    html.push_str(&self.pair(pair));
                }
                html.push_str("</ul>\n");
            }
        }
        if html.is_empty() && !self.analysis.human.agreement.is_empty() {
            html.push_str("<p>There is no item on which judge and majority disagree.</p>\n");
        }
        html
    }

    /// The ends of every model.
    pub(super) fn images(&self) -> String {
        let mut html = String::new();
        for model in &self.gallery.models {
            for (images, what) in [(&model.worst, "failed"), (&model.best, "passed")] {
                if !images.is_empty() {
                    _ = writeln!(html, "<h3>{}: {what}</h3>", escape(&model.model));
                    html.push_str(&self.row(images));
                }
            }
        }
        if html.is_empty() {
            return "<p><span class=\"none\">Not computed.</span> No image was judged.</p>\n".to_owned();
        }
        format!(
            "<p>Clearest first: those on which people agree, then those that won or lost against the baseline. Equals \
             are put in the order of their hashes, not picked.</p>\n{html}"
        )
    }

    fn row(&self, images: &[Shown]) -> String {
        let mut html = "<ul class=\"pictures\">\n".to_owned();
        for shown in images {
            let file = self.file(&shown.picture);
            _ = writeln!(
                html,
                "<li>{}<p><span class=\"who\">{}</span><br>{}</p>{}</li>",
                image(file, &shown.picture),
                escape(&shown.picture.model),
                escape(&shown.caption),
                words(file, &shown.picture),
            );
        }
        html.push_str("</ul>\n");
        html
    }

    fn pair(&self, pair: &ShownPair) -> String {
        let mut html = "<li><div class=\"two\">".to_owned();
        for picture in &pair.pictures {
            _ = write!(
                html,
                "<div>{}<span>{}</span></div>",
                image(self.file(picture), picture),
                escape(&picture.model)
            );
        }
        let first = &pair.pictures[0];
        _ = writeln!(
            html,
            "</div><p>{}</p>{}</li>",
            escape(&pair.caption),
            words(self.file(first), first)
        );
        html
    }

    fn file(&self, picture: &Picture) -> Option<&PictureFile> {
        self.pictures.iter().find(|file| file.picture == *picture)
    }
}

/// The thumbnail, a link to the original where it can be reached.
fn image(file: Option<&PictureFile>, picture: &Picture) -> String {
    let Some((file, thumbnail)) = file.and_then(|file| Some((file, file.thumbnail.as_ref()?))) else {
        return "<div class=\"gone\">image not reachable</div>".to_owned();
    };
    let image = format!(
        "<img src=\"{}\" width=\"{}\" height=\"{}\" loading=\"lazy\" alt=\"{}, prompt {}, seed {}\">",
        escape(&thumbnail.file),
        thumbnail.width,
        thumbnail.height,
        escape(&picture.model),
        picture.prompt_id,
        picture.seed
    );
    match &file.original {
        Some(original) => format!("<a href=\"{}\">{image}</a>", escape(original)),
        None => image,
    }
}

fn words(file: Option<&PictureFile>, picture: &Picture) -> String {
    let mut html = format!(
        "<p class=\"prompt\"><code>{}</code> seed {}",
        picture.prompt_id, picture.seed
    );
    if let Some(prompt) = file.and_then(|file| file.prompt.as_ref()) {
        _ = write!(html, "<br>{}", escape(prompt));
    }
    html.push_str("</p>");
    if let Some(said) = file.and_then(|file| file.said.as_ref()) {
        _ = write!(html, "<p class=\"prompt\">Judge: “{}”</p>", escape(said));
    }
    html
}
