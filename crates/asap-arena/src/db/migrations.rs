//! The tables, as files that are run once each, in order, and never changed after a release.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyPool, SqlSafeStr as _};

/// Number, name, statements.
const FILES: &[(i64, &str, &str)] = &[
    (1, "log", include_str!("../../migrations/0001_log.sql")),
    (2, "votes", include_str!("../../migrations/0002_votes.sql")),
    (
        3,
        "submissions",
        include_str!("../../migrations/0003_submissions.sql"),
    ),
];

pub(super) async fn run(pool: &AnyPool) -> Result<(), MigrateError> {
    let migrations = FILES
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(
                *version,
                Cow::Borrowed(*name),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations).run(pool).await
}
