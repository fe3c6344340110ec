//! Against a real DuckDB, in memory and in files.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::warehouse::{
    CatalogKind, CatalogRelation, Cell, Connection, Credentials, Fetch, Table, Warehouse, position,
};

fn credentials(target: Value) -> Result<Credentials> {
    let mut target: Map<String, Value> = target.as_object().cloned().unwrap_or_default();
    target.insert("type".to_owned(), json!("duckdb"));
    Credentials::from_target(&target)
}

fn open(target: Value) -> Result<Box<dyn Warehouse>> {
    credentials(target)?.open()
}

fn in_memory() -> Box<dyn Connection> {
    open(json!({})).and_then(|warehouse| warehouse.connect()).unwrap()
}

fn rows(connection: &mut dyn Connection, sql: &str) -> Vec<Vec<String>> {
    let (_, table) = connection.execute(sql, Fetch::All).unwrap();
    table.rows.iter().map(|row| row.iter().map(Cell::to_string).collect()).collect()
}

fn run(connection: &mut dyn Connection, sql: &str) {
    connection.execute(sql, Fetch::None).unwrap();
}

fn failure(outcome: Result<impl Sized>) -> Error {
    outcome.err().expect("an error")
}

/// The first cell of a query, and its column's type.
fn cell(connection: &mut dyn Connection, expression: &str) -> (Cell, String) {
    let (_, table) = connection.execute(&format!("SELECT {expression} AS it"), Fetch::All).unwrap();
    (table.rows[0][0].clone(), table.columns[0].data_type.clone())
}

#[test]
fn every_type_has_a_cell_a_name_and_a_text() {
    let mut connection = in_memory();
    run(&mut *connection, "SET TimeZone = 'America/New_York'");
    // The expression, the variant of its cell, and the cell as text.
    for (expression, variant, text) in [
        ("true", "Bool", "true"),
        ("(-1)::TINYINT", "Int", "-1"),
        ("255::UTINYINT", "Int", "255"),
        ("(-300)::SMALLINT", "Int", "-300"),
        ("65535::USMALLINT", "Int", "65535"),
        ("1::INTEGER", "Int", "1"),
        ("4294967295::UINTEGER", "Int", "4294967295"),
        ("(-9223372036854775808)::BIGINT", "Int", "-9223372036854775808"),
        ("18446744073709551615::UBIGINT", "Int", "18446744073709551615"),
        (
            "(-170141183460469231731687303715884105728)::HUGEINT",
            "Int",
            "-170141183460469231731687303715884105728",
        ),
        ("1::UHUGEINT", "Int", "1"),
        (
            "340282366920938463463374607431768211455::UHUGEINT",
            "UInt",
            "340282366920938463463374607431768211455",
        ),
        ("0.1::FLOAT", "Float", "0.10000000149011612"),
        ("1e300::DOUBLE", "Float", "1e300"),
        ("'nan'::DOUBLE", "Float", "NaN"),
        ("1.50::DECIMAL(4,2)", "Decimal", "1.50"),
        ("(-0.05)::DECIMAL(9,2)", "Decimal", "-0.05"),
        ("12.5::DECIMAL(18,3)", "Decimal", "12.500"),
        (
            "-12345678901234567890123456789012345678::DECIMAL(38,0)",
            "Decimal",
            "-12345678901234567890123456789012345678",
        ),
        ("'tiny'", "Text", "tiny"),
        ("'longer than what fits into the vector'", "Text", "longer than what fits into the vector"),
        ("'\\x41\\x00'::BLOB", "Blob", "A\\x00"),
        ("DATE '2024-02-29'", "Date", "2024-02-29"),
        ("'infinity'::DATE", "Date", "9999-12-31"),
        ("'-infinity'::DATE", "Date", "0001-01-01"),
        ("DATE '10000-01-01'", "Text", "10000-01-01"),
        ("DATE '0044-03-15 (BC)'", "Text", "0044-03-15 (BC)"),
        ("TIME '12:34:56.789'", "Time", "12:34:56.789"),
        ("TIME '24:00:00'", "Text", "24:00:00"),
        ("'12:34:56.789012'::TIME_NS", "Time", "12:34:56.789012"),
        ("'12:34:56+02:30'::TIMETZ", "TimeTz", "12:34:56+02:30"),
        ("TIMESTAMP '2024-02-29 12:34:56.5'", "Timestamp", "2024-02-29 12:34:56.5"),
        ("TIMESTAMP '1969-12-31 23:59:59.25'", "Timestamp", "1969-12-31 23:59:59.25"),
        ("'infinity'::TIMESTAMP", "Timestamp", "9999-12-31 23:59:59.999999"),
        ("TIMESTAMP '290000-01-01 01:02:03'", "Text", "290000-01-01 01:02:03"),
        ("'2024-02-29 12:34:56.123456789'::TIMESTAMP_NS", "Timestamp", "2024-02-29 12:34:56.123456"),
        ("'2024-02-29 12:34:56.123'::TIMESTAMP_MS", "Timestamp", "2024-02-29 12:34:56.123"),
        ("'2024-02-29 12:34:56'::TIMESTAMP_S", "Timestamp", "2024-02-29 12:34:56"),
        ("TIMESTAMPTZ '2024-06-29 12:34:56+00'", "TimestampTz", "2024-06-29 08:34:56-04"),
        ("'infinity'::TIMESTAMPTZ", "Timestamp", "9999-12-31 23:59:59.999999"),
        ("[TIMESTAMPTZ '2024-06-29 12:34:56+00']", "List", "[2024-06-29 08:34:56-04]"),
        ("INTERVAL '14 months 3 days 04:00:05.5'", "Interval", "1 year 2 months 3 days 04:00:05.5"),
        ("'6f1c9b8e-3c6b-4a8e-9d0a-1f2e3d4c5b6a'::UUID", "Text", "6f1c9b8e-3c6b-4a8e-9d0a-1f2e3d4c5b6a"),
        ("'b'::ENUM('a', 'b')", "Text", "b"),
        ("[1, NULL, 3]", "List", "[1, NULL, 3]"),
        ("[[1], [], NULL, [2, 3]]", "List", "[[1], [], NULL, [2, 3]]"),
        ("[]::INTEGER[]", "List", "[]"),
        ("{'a': 1, 'B c': 'x'}", "Struct", "{'a': 1, 'B c': x}"),
        ("[{'a': [1.5]}]", "List", "[{'a': [1.5]}]"),
        ("row(1, 'x')", "Tuple", "(1, x)"),
        ("array_value(1, 2, 3)", "Tuple", "(1, 2, 3)"),
        ("MAP {'k': 1, 'l': NULL}", "Map", "{k=1, l=NULL}"),
        ("union_value(num := 2)", "Int", "2"),
        ("'two'::UNION(num INTEGER, txt VARCHAR)", "Text", "two"),
        ("'101100001'::BIT", "Text", "101100001"),
        (
            "'1234567890123456789012345678901234567890123'::BIGNUM",
            "Text",
            "1234567890123456789012345678901234567890123",
        ),
        ("'-1000000000'::BIGNUM", "Text", "-1000000000"),
        ("'0'::BIGNUM", "Text", "0"),
        ("'{\"a\": 1}'::JSON", "Text", "{\"a\": 1}"),
        ("NULL", "Null", "NULL"),
        ("NULL::DECIMAL(4,2)", "Null", "NULL"),
    ] {
        let (cell, data_type) = cell(&mut *connection, expression);
        let debug = format!("{cell:?}");
        let name = debug.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        assert_eq!((name, cell.to_string().as_str()), (variant, text), "{expression}");
        let described = connection.columns_of_query(&format!("SELECT {expression} AS it")).unwrap();
        assert_eq!(data_type, described[0].data_type, "{expression}");
    }
}

#[test]
fn types_of_duckdb_s_own_zoo_are_all_read() {
    let mut connection = in_memory();
    let (_, table) = connection.execute("FROM test_all_types()", Fetch::All).unwrap();
    assert_eq!(table.rows.len(), 3);
    assert!(table.columns.len() > 40);
    assert!(table.rows[2].iter().all(|cell| *cell == Cell::Null));
}

#[test]
fn runs_all_statements_and_gives_the_last_result() {
    let mut connection = in_memory();
    let sql = "CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1), (2); -- a comment; with a semicolon\n\
               SELECT i, ';' AS s FROM t ORDER BY i;";
    let (response, table) = connection.execute(sql, Fetch::All).unwrap();
    assert_eq!(response.message, "OK");
    assert_eq!(table.rows, [[Cell::Int(1), Cell::Text(";".into())], [Cell::Int(2), Cell::Text(";".into())]]);
}

#[test]
fn text_without_statements_is_nothing() {
    let mut connection = in_memory();
    for sql in ["", "  \n", "-- nothing", "/* nothing */ ;"] {
        assert_eq!(connection.execute(sql, Fetch::All).unwrap().1, Table::default(), "{sql}");
    }
}

#[test]
fn fetches_as_much_as_is_wanted() {
    let mut connection = in_memory();
    let mut count = |sql: &str, fetch| connection.execute(sql, fetch).unwrap().1.rows.len();
    assert_eq!(count("FROM range(10000)", Fetch::All), 10_000);
    assert_eq!(count("FROM range(10000)", Fetch::Limit(3000)), 3_000);
    assert_eq!(count("FROM range(1000000000000)", Fetch::Limit(5)), 5);
    assert_eq!(count("FROM range(10000)", Fetch::None), 0);
    assert_eq!(count("FROM range(0)", Fetch::All), 0);
}

#[test]
fn what_is_not_fetched_still_happens() {
    let mut connection = in_memory();
    run(&mut *connection, "CREATE SEQUENCE s; SELECT nextval('s') FROM range(5000)");
    assert_eq!(rows(&mut *connection, "SELECT nextval('s')"), [["5001"]]);
    connection.execute("CREATE TABLE t AS SELECT 1 AS i", Fetch::Limit(0)).unwrap();
    let returned = connection.execute("INSERT INTO t FROM range(10) RETURNING i", Fetch::Limit(1)).unwrap();
    assert_eq!(returned.1.rows.len(), 1);
    assert_eq!(rows(&mut *connection, "SELECT count(*) FROM t"), [["11"]]);
    // An error late in the rows is not lost with them.
    let late = connection.execute(
        "SELECT CAST(CASE WHEN i = 90000 THEN 'x' ELSE '1' END AS INTEGER) FROM range(100000) t(i)",
        Fetch::None,
    );
    assert!(failure(late).message().starts_with("Conversion Error"));
}

#[test]
fn errors_point_at_their_place() {
    let mut connection = in_memory();
    let sql = "SELECT\n    1 AS a,\n    nope(2) AS b";
    let error = failure(connection.execute(sql, Fetch::All));
    assert!(error.message().starts_with("Catalog Error: Scalar Function with name nope does not exist!"));
    let place = position(error.message(), sql).unwrap();
    assert_eq!((place.line, place.column), (3, 5));
    let nul = failure(connection.execute("SELECT\n'\0'", Fetch::All));
    assert_eq!(nul.message(), "there is a NUL character in line 2 of the text for DuckDB");
}

#[test]
fn transactions_hold_or_undo() {
    let mut connection = in_memory();
    run(&mut *connection, "CREATE TABLE t (i INTEGER)");
    connection.begin().unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1)");
    assert!(connection.in_transaction());
    connection.rollback().unwrap();
    connection.rollback().unwrap();
    connection.begin().unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (2)");
    connection.commit().unwrap();
    assert!(!connection.in_transaction());
    assert_eq!(rows(&mut *connection, "FROM t"), [["2"]]);
    connection.begin().unwrap();
    failure(connection.execute("SELECT * FROM nowhere", Fetch::All));
    connection.rollback().unwrap();
    assert_eq!(rows(&mut *connection, "FROM t"), [["2"]]);
}

#[test]
fn values_are_bound() {
    let mut connection = in_memory();
    run(&mut *connection, "CREATE TABLE t (i INTEGER, s VARCHAR, d DATE, b BOOLEAN, n DECIMAL(4,2))");
    let date = cell(&mut *connection, "DATE '2024-02-29'").0;
    let values =
        [Cell::Int(7), Cell::Text("it's".into()), date, Cell::Bool(true), Cell::Decimal("1.50".into())];
    connection.execute_with("INSERT INTO t VALUES (?, ?, ?, ?, ?)", &values).unwrap();
    connection.execute_with("INSERT INTO t (i) VALUES (?)", &[Cell::Null]).unwrap();
    assert_eq!(rows(&mut *connection, "FROM t")[0], ["7", "it's", "2024-02-29", "true", "1.50"]);
    assert_eq!(rows(&mut *connection, "FROM t")[1][0], "NULL");
    assert!(failure(connection.execute_with("SELECT ?", &[])).message().contains("1 placeholders"));
}

#[test]
fn the_catalog_is_read_in_one_go() {
    let mut connection = in_memory();
    run(&mut *connection, "ATTACH ':memory:' AS \"Other\"; CREATE SCHEMA \"Other\".\"My Schema\"");
    run(&mut *connection, "CREATE TABLE \"Other\".\"My Schema\".\"T\" (\"A b\" INTEGER, c DECIMAL(4,2)[])");
    run(&mut *connection, "CREATE VIEW v AS SELECT 1 AS one; CREATE TEMP TABLE tmp (i INTEGER)");
    let relation = |database: &str, schema: &str, name: &str, kind| CatalogRelation {
        database: database.into(),
        schema: schema.into(),
        name: name.into(),
        kind,
    };
    let mut all = connection.list_relations(None).unwrap();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let table = relation("Other", "My Schema", "T", CatalogKind::Table);
    let view = relation("memory", "main", "v", CatalogKind::View);
    assert_eq!(all, [table.clone(), relation("temp", "main", "tmp", CatalogKind::Table), view]);
    let some = connection.list_relations(Some(&[("OTHER".into(), "my schema".into())])).unwrap();
    assert_eq!(some, [table]);
    assert!(connection.list_schemas().unwrap().contains(&("Other".into(), "My Schema".into())));
    let columns = connection.columns("\"Other\".\"My Schema\".\"T\"").unwrap();
    let columns: Vec<_> = columns.iter().map(|it| (it.name.as_str(), it.data_type.as_str())).collect();
    assert_eq!(columns, [("A b", "INTEGER"), ("c", "DECIMAL(4,2)[]")]);
    assert!(failure(connection.columns("nowhere")).message().contains("does not exist"));
    let columns = connection.columns_of_query("SELECT * FROM v -- the view").unwrap();
    assert_eq!((columns[0].name.as_str(), columns[0].data_type.as_str()), ("one", "INTEGER"));
}

#[test]
fn a_running_statement_is_interrupted() {
    let mut connection = in_memory();
    let interrupt = connection.interrupt_handle();
    let started = Instant::now();
    let stopper = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        interrupt.stop();
        interrupt
    });
    let outcome =
        connection.execute("SELECT sum(a.range) FROM range(1000000) a, range(1000000) b", Fetch::All);
    assert!(failure(outcome).message().starts_with("cut off"));
    assert!(started.elapsed() < Duration::from_secs(5));
    let interrupt = stopper.join().unwrap();
    assert_eq!(rows(&mut *connection, "SELECT 1"), [["1"]]);
    drop(connection);
    interrupt.stop();
}

#[test]
fn workers_share_the_database() {
    let warehouse = open(json!({"settings": {"TimeZone": "UTC"}})).unwrap();
    run(&mut *warehouse.connect().unwrap(), "CREATE TABLE t (i INTEGER)");
    thread::scope(|scope| {
        for worker in 0..4 {
            let warehouse = &warehouse;
            scope.spawn(move || {
                let mut connection = warehouse.connect().unwrap();
                run(&mut *connection, &format!("INSERT INTO t VALUES ({worker})"));
            });
        }
    });
    assert_eq!(rows(&mut *warehouse.connect().unwrap(), "SELECT count(*) FROM t"), [["4"]]);
}

#[test]
fn files_last_and_opening_them_is_quick() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.data.duckdb");
    let target = json!({"path": path, "extensions": [], "settings": {"memory_limit": "1GB"}});
    let started = Instant::now();
    let warehouse = open(target.clone()).unwrap();
    let mut connection = warehouse.connect().unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    run(&mut *connection, "CREATE TABLE t AS SELECT 42 AS i");
    assert_eq!(rows(&mut *connection, "SELECT current_database()"), [["my"]]);
    drop((connection, warehouse));
    assert!(!path.with_extension("duckdb.wal").exists());
    let mut connection = open(target).and_then(|warehouse| warehouse.connect()).unwrap();
    assert_eq!(rows(&mut *connection, "FROM my.main.t"), [["42"]]);
}

#[test]
fn files_that_cannot_be_opened_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let problem = |path: &Path| failure(open(json!({"path": path}))).to_string();
    std::fs::write(at("text.duckdb"), "this is no database, but it is longer than a header ".repeat(300))
        .unwrap();
    let said = problem(&at("text.duckdb"));
    assert!(said.contains("text.duckdb cannot be opened") && said.contains("another kind of file"), "{said}");
    let said = problem(&at("none/x.duckdb"));
    assert!(said.contains("there is no folder") && said.contains("create the folder"), "{said}");
    std::fs::write(at("empty.duckdb"), "").unwrap();
    let said = problem(&at("empty.duckdb"));
    assert!(said.contains("the file is empty; remove it"), "{said}");
    std::fs::create_dir(at("folder.duckdb")).unwrap();
    let said = problem(&at("folder.duckdb"));
    assert!(said.contains("is a folder, not a database file"), "{said}");
}

#[test]
fn errors_in_later_statements_point_at_their_place_too() {
    let mut connection = in_memory();
    for (sql, line, column) in [
        ("SELECT 1;\nSELECT a,\n  bb\nFROM (SELECT 1 AS a)", 3, 3),
        ("CREATE TABLE t AS SELECT 1 AS a;\nINSERT INTO t\nSELECT zz FROM t", 3, 8),
        ("SELECT 'é;'; SELECT CAST('x' AS INTEGER)", 1, 21),
    ] {
        let error = failure(connection.execute(sql, Fetch::All));
        let place = position(error.message(), sql).unwrap();
        assert_eq!((place.line, place.column), (line, column), "{}", error.message());
    }
}

#[test]
fn what_only_duckdb_can_read_comes_as_text() {
    let mut connection = in_memory();
    let sql = "SELECT 7 AS a, {'x': 1}::VARIANT AS \"B\", [42::VARIANT] AS c FROM range(2); -- two";
    let (_, table) = connection.execute(sql, Fetch::Limit(1)).unwrap();
    let columns: Vec<_> = table.columns.iter().map(|it| (it.name.as_str(), it.data_type.as_str())).collect();
    assert_eq!(columns, [("a", "INTEGER"), ("B", "VARIANT"), ("c", "VARIANT[]")]);
    assert_eq!(table.rows, [[Cell::Int(7), Cell::Text("{'x': 1}".into()), Cell::Text("[42]".into())]]);
}

/// Not a test, but another process for `a_file_in_use_names_who_uses_it`: holds a file until its input ends.
#[test]
#[ignore = "started by another test"]
fn holds_a_file() {
    let path = std::env::var("RBT_TEST_HELD_FILE").unwrap();
    let _warehouse = open(json!({"path": path})).unwrap();
    println!("held");
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn a_file_in_use_names_who_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("held.duckdb");
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["warehouse::duckdb::tests::holds_a_file", "--exact", "--ignored", "--nocapture"])
        .env("RBT_TEST_HELD_FILE", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(holder.stdout.take().unwrap());
    assert!(output.by_ref().lines().map_while(std::io::Result::ok).any(|line| line.contains("held")));

    let said = failure(open(json!({"path": path}))).to_string();
    assert!(said.contains(&format!("in use by another process: process {}, ", holder.id())), "{said}");
    assert!(said.contains("--ignored"), "the command is named: {said}");
    let said = failure(open(json!({"attach": [{"path": path}]}))).to_string();
    assert!(said.contains(&format!("process {}", holder.id())), "{said}");

    // With retries, the second try finds the file free.
    let stdin = holder.stdin.take();
    let letting_go = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        drop(stdin);
        holder.wait().unwrap()
    });
    open(json!({"path": path, "retries": {"connect_attempts": 3}})).unwrap();
    assert!(letting_go.join().unwrap().success());
}

#[test]
fn profiles_say_where_models_go() {
    for (target, database, schema) in [
        (json!({}), "memory", "main"),
        (json!({"path": "x/my.db.duckdb", "schema": "s"}), "my", "s"),
        (json!({"path": "/a/.hidden.duckdb"}), "hidden", "main"),
        (json!({"path": "md:"}), "my_db", "main"),
        (json!({"path": "md:sales?motherduck_token=x"}), "sales", "main"),
        (json!({"path": "ducklake:sqlite:meta.sqlite"}), "meta", "main"),
        (json!({"path": "s3://bucket/x.duckdb?a=b"}), "x", "main"),
        (
            json!({"path": "x.duckdb", "database": "other", "attach": [{"path": "o.db", "alias": "other"}]}),
            "other",
            "main",
        ),
    ] {
        let credentials = credentials(target.clone()).unwrap();
        assert_eq!(
            (credentials.database.as_str(), credentials.schema.as_str()),
            (database, schema),
            "{target}"
        );
    }
    let said = failure(credentials(json!({"path": "x.duckdb", "database": "y"})));
    assert_eq!(said.message(), "the profile's `database` is y, but the database in x.duckdb is named x");
}

#[test]
fn profiles_that_make_no_sense_are_refused() {
    for (target, message) in [
        (json!({"extensions": "httpfs"}), "the profile's `extensions` is not a list"),
        (json!({"extensions": [{"name": "x"}]}), "entry 1 of the profile's `extensions` is not an extension"),
        (json!({"settings": []}), "the profile's `settings` is not a mapping of names to values"),
        (json!({"path": []}), "the profile's `path` is not a text"),
        (json!({"use_credential_provider": "gcp"}), "the profile's `use_credential_provider` is gcp"),
        (
            json!({"filesystems": [{"fs": "s3"}]}),
            "the profile has `filesystems`, which are Python objects (fsspec)",
        ),
        (
            json!({"plugins": [{"module": "excel"}]}),
            "the profile has the plugin excel, which is a Python module",
        ),
        (
            json!({"motherduck_token": "a", "settings": {"motherduck_token": "b"}}),
            "the profile has two different values for `motherduck_token`",
        ),
    ] {
        assert_eq!(failure(credentials(target)).message(), message);
    }
    let said = failure(open(json!({"config_options": {"nonsense": 1}}))).to_string();
    assert!(said.contains("nonsense"), "{said}");
    let said = failure(open(json!({"settings": {"nonsense": 1}})).and_then(|it| it.connect())).to_string();
    assert!(said.contains("nonsense") && said.contains("`settings`"), "{said}");
}

#[test]
fn profiles_set_attach_and_configure() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.duckdb");
    run(&mut *open(json!({"path": other})).unwrap().connect().unwrap(), "CREATE TABLE t AS SELECT 5 AS i");
    let warehouse = open(json!({
        "path": ":memory:",
        "config_options": {"threads": 2, "allow_unsigned_extensions": true},
        "settings": {"TimeZone": "Europe/Berlin", "preserve_insertion_order": false},
        "extensions": ["json"],
        "attach": [{"path": other, "alias": "o", "read_only": true}],
    }));
    let warehouse = warehouse.unwrap();
    let mut connection = warehouse.connect().unwrap();
    let sql = "SELECT current_setting('threads'), current_setting('TimeZone'), \
               current_setting('preserve_insertion_order'), i FROM o.t";
    assert_eq!(rows(&mut *connection, sql), [["2", "Europe/Berlin", "false", "5"]]);
    assert!(
        failure(connection.execute("INSERT INTO o.t VALUES (1)", Fetch::None))
            .message()
            .contains("read-only")
    );
}

#[test]
fn new_files_are_for_duckdb_1_1_unless_the_profile_says_otherwise() {
    let storage = |target: Value| {
        let options = credentials(target).unwrap().profile.options;
        options.into_iter().filter(|(name, _)| name == "storage_compatibility_version").collect::<Vec<_>>()
    };
    let pair = |value: &str| vec![("storage_compatibility_version".to_owned(), value.to_owned())];
    assert_eq!(storage(json!({"path": "a.duckdb"})), pair("v1.1.0"));
    let chosen = json!({"config_options": {"storage_compatibility_version": "latest"}});
    assert_eq!(storage(chosen), pair("latest"));
    assert_eq!(storage(json!({"settings": {"storage_compatibility_version": "v1.2.0"}})), []);
    assert_eq!(storage(json!({"path": "md:a"})), []);
}

#[test]
fn helpers_come_and_go() {
    let warehouse = open(json!({"config_options": {"threads": 4}})).unwrap();
    let mut connection = warehouse.connect().unwrap();
    let sql = "SELECT current_setting('threads'), current_setting('external_threads')";
    assert_eq!(rows(&mut *connection, sql), [["4", "1"]]);
    warehouse.help(false).unwrap();
    assert_eq!(rows(&mut *connection, sql), [["4", "4"]]);
    warehouse.help(true).unwrap();
    assert_eq!(rows(&mut *connection, sql), [["4", "1"]]);
    // What a hook says of threads holds.
    warehouse.help(false).unwrap();
    run(&mut *connection, "SET threads = 2");
    assert_eq!(rows(&mut *connection, sql), [["2", "1"]]);
    warehouse.help(true).unwrap();
    assert_eq!(rows(&mut *connection, sql), [["2", "1"]]);
}
