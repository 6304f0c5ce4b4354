//! Databases for tests: every test runs on SQLite, and on PostgreSQL where `ASAP_TEST_POSTGRES` names a server.

use sqlx::{AnyConnection, Connection as _, Executor as _};

use super::{Database, install_default_drivers};
use crate::random_hex;

/// A database that one test has alone.
pub(crate) struct TestDatabase {
    pub(crate) db: Database,
    pub(crate) url: String,
    /// The folder of SQLite's file.
    _folder: Option<tempfile::TempDir>,
    /// The server and the schema, in PostgreSQL.
    schema: Option<(String, String)>,
}

impl TestDatabase {
    /// Removes what it left on the server.
    pub(crate) async fn end(self) {
        self.db.close().await;
        if let Some((server, schema)) = self.schema {
            let mut connection = AnyConnection::connect(&server).await.unwrap();
            // The name is made of hexadecimal digits, here.
            let drop = sqlx::AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
            connection.execute(drop).await.unwrap();
        }
    }
}

/// One empty database of each kind that is there.
pub(crate) async fn databases() -> Vec<TestDatabase> {
    let mut found = vec![sqlite().await];
    match std::env::var("ASAP_TEST_POSTGRES") {
        Ok(server) => found.push(postgres(&server).await),
        Err(_) => {
            let required = std::env::var("ASAP_REQUIRE").unwrap_or_default();
            assert!(
                !required.split(',').any(|name| name == "postgres"),
                "PostgreSQL is required, but ASAP_TEST_POSTGRES names no server"
            );
            eprintln!("skipped: PostgreSQL; ASAP_TEST_POSTGRES names no server");
        }
    }
    found
}

async fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("arena.db").display());
    TestDatabase {
        db: Database::open(&url).await.unwrap(),
        url,
        _folder: Some(folder),
        schema: None,
    }
}

async fn postgres(server: &str) -> TestDatabase {
    install_default_drivers();
    let schema = format!("test_{}", random_hex::<8>());
    let mut connection = AnyConnection::connect(server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    connection.execute(create).await.unwrap();
    let sign = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{sign}options=-c%20search_path%3D{schema}");
    TestDatabase {
        db: Database::open(&url).await.unwrap(),
        url,
        _folder: None,
        schema: Some((server.to_owned(), schema)),
    }
}
