//! The document around a page: head, header, theme switch.

use leptos::prelude::*;

use crate::model::Page;
use crate::page::{page_view, title};
use crate::{MAIN_ID, MODEL_ID};

/// Light, dark, or as the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Every theme, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The name in the cookie and in the form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// What surrounds a page.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Light or dark.
    pub theme: Theme,
    /// The address that was asked for, path and query: the theme switch comes back to it.
    pub here: String,
    /// Address of the style sheet.
    pub css_href: String,
    /// Address of the script that starts the client; `None` leaves plain HTML.
    pub boot_href: Option<String>,
    /// Name of the data set.
    pub dataset: String,
}

/// The whole HTML document of a page.
pub fn document(page: &Page, shell: &Shell) -> String {
    let owner = Owner::new();
    let html = owner.with(|| {
        let main = page_view(page.clone()).to_html();
        frame(page, shell, main)
    });
    owner.cleanup();
    format!("<!DOCTYPE html>{html}")
}

fn frame(page: &Page, shell: &Shell, main: String) -> String {
    let theme = (shell.theme != Theme::Auto).then(|| shell.theme.name());
    view! {
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{format!("{} · {} · ASAP", title(page), shell.dataset)}</title>
                <link rel="icon" href="/assets/icon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=shell.css_href.clone()/>
                {shell.boot_href.clone().map(|href| view! { <script type="module" src=href></script> })}
            </head>
            <body>
                <a class="skip" href="#main">"Skip to the content"</a>
                {header(page, shell)}
                <main id=MAIN_ID tabindex="-1" inner_html=main></main>
                {shell.boot_href.is_some().then(|| {
                    view! { <script type="application/json" id=MODEL_ID inner_html=json(page)></script> }
                })}
            </body>
        </html>
    }
    .to_html()
}

fn header(page: &Page, shell: &Shell) -> impl IntoView {
    let current = |is_here: bool| is_here.then_some("page");
    let is_grid = matches!(page, Page::Grid(_));
    let is_dataset = matches!(page, Page::Dataset(_));
    view! {
        <header class="top">
            <a class="brand" href="/pairs">
                <img src="/assets/icon.svg" alt="" width="24" height="24"/>
                <span>"ASAP"</span>
            </a>
            <nav aria-label="Pages">
                <a href="/pairs" aria-current=current(is_grid)>"Pairs"</a>
                <a href="/dataset" aria-current=current(is_dataset)>"Data set"</a>
            </nav>
            <span class="dataset-name">{shell.dataset.clone()}</span>
            <form class="theme" method="post" action="/theme" aria-label="Colours">
                <input type="hidden" name="back" value=shell.here.clone()/>
                {Theme::ALL.map(|theme| view! {
                    <button name="theme" value=theme.name() aria-pressed=(theme == shell.theme).to_string()>
                        {theme.name()}
                    </button>
                })}
            </form>
        </header>
    }
}

/// The page's data, with nothing in it that could end a script element.
fn json(page: &Page) -> String {
    serde_json::to_string(page)
        .expect("a page has string keys and finite numbers only")
        .replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorModel;

    fn shell() -> Shell {
        Shell {
            theme: Theme::Dark,
            here: "/x\"y".to_owned(),
            css_href: "/assets/a.css".to_owned(),
            boot_href: Some("/assets/boot.js".to_owned()),
            dataset: "hap".to_owned(),
        }
    }

    #[test]
    fn hostile_words_stay_words() {
        let page = Page::Error(ErrorModel {
            status: 404,
            message: "</script><img src=x>".to_owned(),
        });
        let html = document(&page, &shell());
        assert!(
            html.starts_with("<!DOCTYPE html><html lang=\"en\" data-theme=\"dark\">"),
            "{html}"
        );
        assert!(!html.contains("<img src=x>"), "{html}");
        assert_eq!(html.matches("</script>").count(), 2, "{html}");
        assert!(html.contains("value=\"/x&quot;y\""), "{html}");
    }

    #[test]
    fn without_a_client_there_is_no_script() {
        let page = Page::Error(ErrorModel {
            status: 500,
            message: "gone".to_owned(),
        });
        let html = document(
            &page,
            &Shell {
                boot_href: None,
                ..shell()
            },
        );
        assert!(!html.contains("<script"), "{html}");
    }
}
