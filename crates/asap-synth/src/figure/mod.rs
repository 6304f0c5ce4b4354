//! People drawn from a skeleton graph.
