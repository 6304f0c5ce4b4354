//! The index against brute force over the same rows.

use asap_app::filter::{Bounds, Facet, Filter, Measure};
use asap_app::query::{GridQuery, Order, SortKey};
use asap_core::{PairSummary, Stream};

use super::sample_rows;
use crate::index::Index;

const N_ROWS: usize = 240;

fn names(row: &PairSummary, facet: Facet) -> Vec<&str> {
    match facet {
        Facet::Decision => vec![row.decision.name()],
        Facet::Mechanism => vec![row.mechanism.name()],
        Facet::Source => vec![row.source_kind.name()],
        Facet::Split => vec![row.split.name()],
        Facet::Region => row.regions.iter().map(|v| v.name()).collect(),
        Facet::Part => row.degradations.iter().map(|v| v.part.name()).collect(),
        Facet::Kind => row.degradations.iter().map(|v| v.kind.name()).collect(),
        Facet::Operator => row.operators.iter().map(String::as_str).collect(),
    }
}

fn value(row: &PairSummary, measure: Measure) -> Option<f64> {
    match measure {
        Measure::SsimInside => row.ssim_inside,
        Measure::SsimOutside => row.ssim_outside,
    }
}

/// Whether a row passes everything but one facet and one measure.
fn passes(row: &PairSummary, filter: &Filter, but: Option<Facet>, but_measure: Option<Measure>) -> bool {
    let facets = Facet::ALL
        .into_iter()
        .filter(|&facet| Some(facet) != but)
        .all(|facet| {
            let chosen: Vec<&str> = filter.names(facet).collect();
            chosen.is_empty() || names(row, facet).iter().any(|name| chosen.contains(name))
        });
    let measures = Measure::ALL
        .into_iter()
        .filter(|&measure| Some(measure) != but_measure)
        .all(|measure| filter.bounds(measure).accepts(value(row, measure)));
    let text = filter.text.to_lowercase();
    let words = text.split_whitespace().all(|word| {
        row.prompt.to_lowercase().contains(word)
            || row.source_name.to_lowercase().contains(word)
            || row
                .operators
                .iter()
                .any(|name| name.to_lowercase().contains(word))
            || (word.len() >= 4 && row.id.to_string().starts_with(word))
    });
    facets && measures && words
}

/// A filter that a hurried reader might arrive at.
fn random_query(stream: &mut Stream, rows: &[PairSummary]) -> GridQuery {
    let mut filter = Filter::default();
    for facet in Facet::ALL {
        while stream.chance(0.25) {
            let row = stream.choose(rows);
            if let Some(name) = names(row, facet).first() {
                filter = filter.and(facet, name);
            }
        }
    }
    if stream.chance(0.4) {
        filter.ssim_inside = Bounds {
            min: Some(stream.between(0.2, 0.5)),
            max: Some(stream.between(0.5, 0.9)),
        };
    }
    if stream.chance(0.3) {
        filter.ssim_outside = Bounds {
            min: None,
            max: Some(stream.between(0.97, 1.0)),
        };
    }
    if stream.chance(0.3) {
        let words = [
            "dancer",
            "Figure/7",
            "number 1",
            "cook PAN",
            "hand.",
            "nothing at all",
        ];
        filter.text = (*stream.choose(&words)).to_owned();
    }
    let order = if stream.chance(0.5) {
        Order::Ascending
    } else {
        Order::Descending
    };
    GridQuery {
        filter,
        sort: *stream.choose(&SortKey::ALL),
        order,
        page: 1,
    }
}

#[test]
fn every_count_equals_brute_force() {
    let rows = sample_rows(N_ROWS);
    let index = Index::new(rows.clone());
    let mut stream = Stream::new(5, "queries");
    let mut n_found = 0;
    for _ in 0..60 {
        let query = random_query(&mut stream, &rows);
        let filter = &query.filter;
        let selection = index.select(&query);
        let mut found: Vec<usize> = selection.order.iter().map(|&idx| idx as usize).collect();
        assert_eq!(index.ordered(&query), selection.order);
        found.sort_unstable();
        let expected: Vec<usize> = (0..rows.len())
            .filter(|&idx| passes(&rows[idx], filter, None, None))
            .collect();
        assert_eq!(found, expected, "{query:?}");
        n_found += found.len();
        for model in &selection.facets {
            for option in &model.options {
                let expected = rows
                    .iter()
                    .filter(|row| passes(row, filter, Some(model.facet), None))
                    .filter(|row| names(row, model.facet).contains(&option.name.as_str()))
                    .count();
                assert_eq!(
                    option.n, expected,
                    "{:?} {} in {query:?}",
                    model.facet, option.name
                );
            }
        }
        for histogram in &selection.histograms {
            let passing: Vec<_> = rows
                .iter()
                .filter(|row| passes(row, filter, None, Some(histogram.measure)))
                .collect();
            let n_missing = passing
                .iter()
                .filter(|row| value(row, histogram.measure).is_none())
                .count();
            assert_eq!(histogram.n_missing, n_missing);
            assert_eq!(histogram.bins.iter().sum::<usize>(), passing.len() - n_missing);
        }
    }
    assert!(n_found > 100, "the filters let almost nothing pass: {n_found}");
}

#[test]
fn every_order_is_total_and_puts_missing_values_last() {
    let index = Index::new(sample_rows(N_ROWS));
    for order in [Order::Ascending, Order::Descending] {
        let query = GridQuery {
            sort: SortKey::SsimInside,
            order,
            ..GridQuery::default()
        };
        let values: Vec<Option<f64>> = index
            .ordered(&query)
            .iter()
            .map(|&idx| index.rows()[idx as usize].ssim_inside)
            .collect();
        let n_known = values.iter().flatten().count();
        assert!(n_known < values.len() && values[n_known..].iter().all(Option::is_none));
        let known: Vec<f64> = values.into_iter().flatten().collect();
        assert!(known.windows(2).all(|pair| match order {
            Order::Ascending => pair[0] <= pair[1],
            Order::Descending => pair[0] >= pair[1],
        }));
    }
}

#[test]
fn values_that_are_no_numbers_count_as_missing() {
    let mut rows = sample_rows(3);
    rows[0].ssim_inside = Some(f64::NAN);
    rows[1].ssim_inside = Some(f64::INFINITY);
    rows[2].ssim_inside = Some(0.5);
    let selection = Index::new(rows).select(&GridQuery::default());
    assert_eq!(selection.histograms[0].n_missing, 2);
    assert_eq!(selection.histograms[0].bins.iter().sum::<usize>(), 1);
}

#[test]
fn an_empty_dataset_has_an_empty_page() {
    let selection = Index::new(Vec::new()).select(&GridQuery::default());
    assert!(selection.order.is_empty());
    assert!(selection.facets.iter().all(|facet| facet.options.is_empty()));
}

#[test]
fn more_operators_than_bits_in_a_word() {
    let mut rows = sample_rows(150);
    for (idx, row) in rows.iter_mut().enumerate() {
        row.operators = vec![format!("op.{idx}@1")];
    }
    let index = Index::new(rows);
    for name in ["op.0@1", "op.77@1", "op.149@1"] {
        let query = GridQuery::from(Filter::only(Facet::Operator, name));
        let found = index.ordered(&query);
        assert_eq!(found.len(), 1);
        assert_eq!(index.rows()[found[0] as usize].operators, [name]);
    }
}
