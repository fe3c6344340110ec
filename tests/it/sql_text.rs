//! The SQL that macros of rbt's library compile to: the words are dbt's, white space aside.

use crate::support::Project;

/// The compiled text of a file below `target/compiled/shop`, with one space for any white space.
fn compiled(project: &Project, path: &str) -> String {
    let text = project.read(&format!("target/compiled/shop/{path}"));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn cross_database_macros_read_as_dbts() {
    let table = [
        ("dbt.dateadd('quarter', 'n', 'd')", "[ (d + (cast(n as bigint) * 3) * interval 1 month)]"),
        ("dbt.dateadd('week', -1, 'd')", "[ (d + (cast(-1 as bigint) * 7) * interval 1 day)]"),
        ("dbt.dateadd('Hour', 2, 'd')", "[ (d + cast(2 as bigint) * interval 1 hour)]"),
        ("dbt.datediff('a', 'b', 'day')", "[ (date_diff('day', a::timestamp, b::timestamp )) ]"),
        (
            "dbt.last_day('d', 'month')",
            "[cast( ( (date_trunc('month', d) + cast(1 as bigint) * interval 1 month) + cast(-1 as bigint) * interval 1 day) as date)]",
        ),
        ("dbt.listagg('a')", "[ string_agg( a, ',' )]"),
        (
            "dbt.listagg('a', \"'|'\", 'order by b', 3)",
            "[list_aggr( (array_agg( a order by b ))[1:3], 'string_agg', '|' )]",
        ),
        ("dbt.split_part('a', \"'-'\", 2)", "[ string_split(a, '-')[ 2 ] ]"),
        ("dbt.length('a')", "[ length( a )]"),
        ("dbt.replace('a', \"'b'\", \"'c'\")", "[ replace( a, 'b', 'c' ) ]"),
        ("dbt.position(\"'a'\", 'b')", "[ position( 'a' in b )]"),
        ("dbt.cast_bool_to_text('a')", "[ cast(a as TEXT) ]"),
        ("dbt.array_construct([1, 2])", "[ array[ 1 , 2 ] ]"),
        ("dbt.except()", "[ except ]"),
        ("dbt.equals('a', 'b')", "[(a = b) ]"),
        (
            "dbt.generate_series(3)",
            "[ select generate_series as generated_number from generate_series(1, 3) ]",
        ),
        ("dbt.safe_cast('a', 'int')", "[ cast(a as int) ]"),
        ("dbt.current_timestamp_backcompat()", "[ current_timestamp::timestamp ]"),
    ];
    let project = Project::new();
    for (number, (expression, _)) in table.iter().enumerate() {
        project.model(&format!("m{number}"), &format!("[{{{{ {expression} }}}}]"));
    }
    project.run("compile").success();
    for (number, (expression, expected)) in table.iter().enumerate() {
        assert_eq!(compiled(&project, &format!("models/m{number}.sql")), *expected, "{expression}");
    }
}

#[test]
fn generic_tests_read_as_dbts() {
    let project = Project::new();
    project.model("a", "select 1 as id, 'x' as kind");
    project.yaml(
        "
        models:
          - name: a
            columns:
              - name: kind
                data_tests:
                  - accepted_values: {name: kinds, arguments: {values: [x, y]}}
              - name: id
                data_tests:
                  - accepted_values: {name: ids, arguments: {values: [1, 2], quote: false}}
                  - relationships: {name: parents, arguments: {to: ref('a'), field: id}}
        ",
    );
    project.run("compile").success();
    let text = |name: &str| compiled(&project, &format!("models/schema.yml/{name}.sql"));
    let values = "with all_values as ( select COLUMN as value_field, count(*) as n_records \
        from \"shop\".\"main\".\"a\" group by COLUMN ) select * from all_values where value_field not in ( LIST )";
    assert_eq!(text("kinds"), values.replace("COLUMN", "kind").replace("LIST", "'x','y'"));
    assert_eq!(text("ids"), values.replace("COLUMN", "id").replace("LIST", "1,2"));
    assert_eq!(
        text("parents"),
        "with child as ( select id as from_field from \"shop\".\"main\".\"a\" where id is not null ), \
         parent as ( select id as to_field from \"shop\".\"main\".\"a\" ) \
         select from_field from child left join parent on child.from_field = parent.to_field \
         where parent.to_field is null"
    );
}
