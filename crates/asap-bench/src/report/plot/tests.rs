//! Whole small plots, and what must hold for all of them.

use asap_core::RsiCounts;

use super::*;

fn estimate(value: f64, low: f64, high: f64) -> Option<Estimate> {
    Some(Estimate {
        value,
        interval: Some([low, high]),
    })
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn forest() -> Plot {
    Forest {
        title: text("Error rate <by> model"),
        subtitle: text("Lines are intervals."),
        axis_label: text("AER"),
        scale: Scale::Linear,
        unit: Unit::Percent,
        reference: Some((0.5, text("half"))),
        columns: vec![text("n")],
        rows: vec![
            ForestRow::Group(text("Overall")),
            ForestRow::Entry {
                label: text("a & b"),
                series: 0,
                estimate: estimate(0.3, 0.219, 0.396),
                instead: None,
                cells: vec![text("100")],
            },
            ForestRow::Entry {
                label: text("c"),
                series: 1,
                estimate: None,
                instead: None,
                cells: vec![text("0")],
            },
        ],
    }
    .draw()
}

fn log_forest() -> Plot {
    Forest {
        title: text("Index"),
        subtitle: String::new(),
        axis_label: text("RSI"),
        scale: Scale::Log,
        unit: Unit::Ratio,
        reference: Some((1.0, text("no preference"))),
        columns: Vec::new(),
        rows: vec![
            ForestRow::Entry {
                label: text("wide"),
                series: 2,
                estimate: estimate(1.5, 0.02, 40.0),
                instead: None,
                cells: Vec::new(),
            },
            ForestRow::Entry {
                label: text("no loss"),
                series: 3,
                estimate: None,
                instead: Some(text("∞  [1.20 or more]")),
                cells: Vec::new(),
            },
        ],
    }
    .draw()
}

fn radar() -> Plot {
    Radar {
        title: text("Rates"),
        subtitle: text("Nearer is better."),
        axes: ["one", "two", "three"].map(text).to_vec(),
        series: vec![
            RadarSeries {
                name: text("whole"),
                values: vec![
                    estimate(0.1, 0.05, 0.2),
                    estimate(0.2, 0.1, 0.3),
                    estimate(0.3, 0.2, 0.4),
                ],
            },
            RadarSeries {
                name: text("gap"),
                values: vec![estimate(0.2, 0.1, 0.3), None, estimate(0.1, 0.0, 0.2)],
            },
        ],
    }
    .draw()
}

fn scatter() -> Plot {
    let point = |label: &str, series, x: f64, y: f64| ScatterPoint {
        label: text(label),
        series,
        x: Estimate {
            value: x,
            interval: Some([x - 0.04, x + 0.04]),
        },
        y: Estimate {
            value: y,
            interval: None,
        },
    };
    Scatter {
        title: text("Errors against quality"),
        subtitle: text("Differences."),
        x_label: text("AER"),
        y_label: text("score"),
        origin: (text("base"), 2),
        points: vec![point("near", 0, -0.12, 0.003), point("nearer", 1, -0.121, 0.0029)],
    }
    .draw()
}

fn bars() -> Plot {
    let bar = |label: &str, wins, ties, losses| Bar {
        label: text(label),
        counts: RsiCounts { wins, ties, losses },
        cells: vec![(wins + ties + losses).to_string()],
    };
    Bars {
        title: text("Votes"),
        subtitle: text("Of people."),
        columns: vec![text("n")],
        bars: vec![bar("some", 60, 30, 10), bar("none", 0, 0, 0), bar("all", 5, 0, 0)],
    }
    .draw()
}

fn matrix() -> Plot {
    Matrix {
        title: text("Judge and people"),
        subtitle: text("Counts."),
        judges: [text("judge"), text("people")],
        answers: vec![text("pass"), text("fail")],
        counts: vec![vec![8, 2], vec![0, 0]],
    }
    .draw()
}

fn all() -> [(&'static str, Plot, &'static str); 6] {
    [
        ("forest", forest(), include_str!("expected/forest.svg")),
        (
            "log_forest",
            log_forest(),
            include_str!("expected/log_forest.svg"),
        ),
        ("radar", radar(), include_str!("expected/radar.svg")),
        ("scatter", scatter(), include_str!("expected/scatter.svg")),
        ("bars", bars(), include_str!("expected/bars.svg")),
        ("matrix", matrix(), include_str!("expected/matrix.svg")),
    ]
}

/// A plot that was changed on purpose is looked at, and its text is then put in place of the expected one: the test
/// leaves it in the folder that `ASAP_ARTEFACTS` names.
#[test]
fn small_plots_are_what_they_were() {
    if let Some(folder) = std::env::var_os("ASAP_ARTEFACTS") {
        let folder = std::path::Path::new(&folder).join("plots");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, plot, _) in all() {
            std::fs::write(folder.join(format!("{name}.svg")), plot.inline()).unwrap();
        }
    }
    for (name, plot, expected) in all() {
        let drawn = plot.inline();
        assert!(drawn == expected, "{name}\n{drawn}");
    }
}

#[test]
fn a_file_has_no_variables_and_both_themes() {
    for (name, plot, _) in all() {
        let file = plot.file();
        assert!(!file.contains("var(--"), "{name}");
        assert!(file.contains("prefers-color-scheme:dark"), "{name}");
        assert!(
            file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""),
            "{name}"
        );
    }
}

#[test]
fn a_png_has_its_text() {
    for (name, plot, _) in all() {
        let pixels = image::load_from_memory(&to_png(&plot).unwrap())
            .unwrap()
            .to_luma8();
        assert_eq!(pixels.width(), 1504, "{name}");
        // The title is all that is drawn up there.
        let n_dark = (32..68)
            .flat_map(|y| (32..200).map(move |x| (x, y)))
            .filter(|&(x, y)| pixels.get_pixel(x, y).0[0] < 100);
        assert!(n_dark.count() > 100, "{name}");
    }
}

#[test]
fn numbers_are_written_for_people() {
    assert_eq!(Unit::Percent.write(0.289), "28.9 %");
    assert_eq!(Unit::Percent.write_interval([0.251, 0.33]), "25.1–33.0");
    assert_eq!(Unit::Points.write(-0.128), "\u{2212}12.8");
    assert_eq!(Unit::Points.write_interval([-0.02, 0.0001]), "\u{2212}2.0 to 0.0");
    assert_eq!(Unit::Ratio.write(1.1666), "1.17");
    assert_eq!(Unit::Plain.write(22.81), "22.81");
    assert_eq!(Unit::Plain.write(0.3031), "0.303");
    assert_eq!(Unit::Difference.write(0.0062), "+0.0062");
    assert_eq!(Unit::Difference.write(-1.2), "\u{2212}1.200");
}

#[test]
fn ticks_are_round_and_hold_everything() {
    let ticks = |reach: [f64; 2], scale, unit| -> Vec<String> {
        let axis = axis::Axis::over(&[reach], scale, unit, [0.0, 100.0]);
        axis.ticks().into_iter().map(|(_, text)| text).collect()
    };
    assert_eq!(
        ticks([0.11, 0.62], Scale::Linear, Unit::Percent),
        ["10 %", "20 %", "30 %", "40 %", "50 %", "60 %", "70 %"]
    );
    assert_eq!(
        ticks([0.0, 1.0], Scale::Linear, Unit::Percent).last().unwrap(),
        "100 %"
    );
    assert_eq!(
        ticks([-0.17, 0.0], Scale::Linear, Unit::Points),
        ["\u{2212}20", "\u{2212}15", "\u{2212}10", "\u{2212}5", "0"]
    );
    assert_eq!(
        ticks([0.97, 1.31], Scale::Log, Unit::Ratio),
        ["0.9", "1", "1.1", "1.25", "1.5"]
    );
    // One value, no value, and values that are no numbers still make an axis.
    assert!(ticks([0.3, 0.3], Scale::Linear, Unit::Percent).len() > 1);
    assert!(ticks([f64::NAN, f64::INFINITY], Scale::Log, Unit::Ratio).len() > 1);
}
