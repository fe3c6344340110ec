{#- A table that foreign keys point at cannot be replaced in DuckDB, and a foreign key cannot be dropped. Where this
    run builds the tables with the keys anew after this one, they make way: a copy of their rows without keys takes
    their place until then. Anything else is an error, so that no data is lost. -#}
{% macro drop_foreign_key_dependents(relation) -%}
  {%- if relation is none or not relation.is_table or not may_be_foreign_key_target(relation) -%}
    {%- do return([]) -%}
  {%- endif -%}
  {%- set dependents = dbt.foreign_key_dependents(relation) -%}
  {%- if not dependents -%}
    {%- do return([]) -%}
  {%- endif -%}
  {%- do dbt.assert_foreign_key_dependents_are_rebuilt(relation, dependents) -%}

  {%- do adapter.ensure_transaction() -%}
  {%- set dropped = [] -%}
  {%- for table in dependents -%}
    {%- set dependent = relation.incorporate(path={'identifier': table}) -%}
    {%- set backup = relation.incorporate(path={'identifier': table ~ '__dbt_fk_backup'}) -%}
    {{ log('Dropping the foreign keys of ' ~ dependent ~ ' to ' ~ relation ~ '; this run builds it again', info=True) }}
    {%- call statement('drop_foreign_key_dependent') -%}
      create or replace table {{ backup }} as select * from {{ dependent }};
      {{ get_drop_sql(dependent) }}
    {%- endcall -%}
    {%- do dropped.append({'relation': dependent, 'backup': backup}) -%}
  {%- endfor -%}
  {%- do return(dropped) -%}
{%- endmacro %}

{% macro restore_foreign_key_dependents(dropped) -%}
  {%- for item in dropped | reverse -%}
    {%- call statement('restore_foreign_key_dependent') -%}
      alter table {{ item.backup }} rename to {{ adapter.quote(item.relation.identifier) }}
    {%- endcall -%}
  {%- endfor -%}
{%- endmacro %}

{#- Returns the tables whose foreign keys lead to the relation, the farthest first, each with the tables it points
    at: a mapping of name to names. Foreign keys stay in one schema in DuckDB. -#}
{% macro foreign_key_dependents(relation) -%}
  {%- call statement('get_foreign_key_dependents', fetch_result=True) -%}
    with recursive foreign_keys as (
      select table_name, referenced_table
      from duckdb_constraints()
      where constraint_type = 'FOREIGN KEY'
        and lower(database_name) = lower('{{ adapter.escape_sql_string(relation.database) }}')
        and lower(schema_name) = lower('{{ adapter.escape_sql_string(relation.schema) }}')
        and lower(table_name) <> lower(referenced_table)
    ),
    dependents(table_name, depth) as (
      select table_name, 1
      from foreign_keys
      where lower(referenced_table) = lower('{{ adapter.escape_sql_string(relation.identifier) }}')
      union
      select foreign_keys.table_name, depth + 1
      from foreign_keys
      join dependents on lower(foreign_keys.referenced_table) = lower(dependents.table_name)
    )
    select table_name, referenced_table
    from foreign_keys
    join (select table_name, max(depth) as depth from dependents group by all) using (table_name)
    order by depth desc, table_name, referenced_table
  {%- endcall -%}
  {%- set dependents = {} -%}
  {%- for row in load_result('get_foreign_key_dependents').table -%}
    {%- if row[0] not in dependents -%}
      {%- do dependents.update({row[0]: []}) -%}
    {%- endif -%}
    {%- do dependents[row[0]].append(row[1] | lower) -%}
  {%- endfor -%}
  {%- do return(dependents) -%}
{%- endmacro %}

{#- Raises an error unless every dependent is a model of this run that is built anew after the one at hand. -#}
{% macro assert_foreign_key_dependents_are_rebuilt(relation, dependents) -%}
  {%- set nodes = {} -%}
  {%- set ids = {relation.identifier | lower: model.unique_id} -%}
  {%- for node in graph.nodes.values() if node.resource_type == 'model'
      and (node.database or '') | lower == (relation.database or '') | lower and node.schema | lower == relation.schema | lower -%}
    {%- for table in dependents if (node.alias or node.name) | lower == table | lower -%}
      {%- do nodes.update({table: node}) -%}
      {%- do ids.update({table | lower: node.unique_id}) -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- set problems = [] -%}
  {%- for table, referenced in dependents.items() -%}
    {%- set problem = dbt.foreign_key_dependent_problem(nodes.get(table), referenced, ids) -%}
    {%- if problem -%}
      {%- do problems.append(table ~ ' (' ~ problem ~ ')') -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if problems -%}
    {%- do exceptions.raise_compiler_error(
        'Cannot replace ' ~ relation ~ ' because DuckDB does not allow replacing a table that a foreign key references, and only '
        ~ 'referencing tables that this run will rebuild can make way for it. Problem tables: ' ~ problems | join('; ')
    ) -%}
  {%- endif -%}
{%- endmacro %}

{#- Returns why a dependent cannot make way, or none. `ids` has the models of the chain by their table's name. -#}
{% macro foreign_key_dependent_problem(node, referenced, ids) -%}
  {%- if not node -%}
    {%- do return('not built by a dbt model in this project') -%}
  {%- elif node.unique_id not in selected_resources -%}
    {%- do return('model ' ~ node.name ~ ' is not selected in this run') -%}
  {%- endif -%}
  {%- set follows = [] -%}
  {%- for table in referenced if ids.get(table) in node.depends_on.nodes -%}
    {%- do follows.append(table) -%}
  {%- endfor -%}
  {%- if not follows -%}
    {%- do return(
        'model ' ~ node.name ~ ' does not ref() the table its foreign key points at, so it may not be built after it; use `to: ref(...)` in the constraint'
    ) -%}
  {%- endif -%}
  {%- set configured = node.config.full_refresh -%}
  {%- set full_refresh = flags.FULL_REFRESH if configured is none else configured -%}
  {%- set materialized = node.config.materialized -%}
  {%- if materialized != 'table' and not (materialized == 'incremental' and full_refresh) -%}
    {%- do return('model ' ~ node.name ~ ' is materialized as ' ~ materialized ~ ' and would lose its data; run with --full-refresh') -%}
  {%- endif -%}
  {%- do return(none) -%}
{%- endmacro %}

{#- Only a table with a primary key or a unique constraint can be pointed at. -#}
{% macro may_be_foreign_key_target(relation=none) -%}
  {%- if not adapter.catalog_supports_foreign_keys(this.database) -%}
    {%- do return(false) -%}
  {%- endif -%}
  {%- set types = enforced_constraint_types() + existing_constraint_types(relation) -%}
  {%- do return('primary_key' in types or 'unique' in types) -%}
{%- endmacro %}

{% macro has_foreign_key_constraints(relation=none) -%}
  {%- if not adapter.catalog_supports_foreign_keys(this.database) -%}
    {%- do return(false) -%}
  {%- endif -%}
  {%- do return('foreign_key' in enforced_constraint_types() + existing_constraint_types(relation)) -%}
{%- endmacro %}

{#- Returns the types of the constraints in the model's contract, if that is enforced. -#}
{% macro enforced_constraint_types() -%}
  {%- if not config.get('contract').enforced -%}
    {%- do return([]) -%}
  {%- endif -%}
  {%- set types = [] -%}
  {%- for constraint in model.get('constraints', []) -%}
    {%- do types.append(constraint.type) -%}
  {%- endfor -%}
  {%- for column in model.get('columns', {}).values() -%}
    {%- for constraint in column.get('constraints', []) -%}
      {%- do types.append(constraint.type) -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- do return(types) -%}
{%- endmacro %}

{#- Returns the types of the keys that the relation has in the database. -#}
{% macro existing_constraint_types(relation) -%}
  {%- do return(adapter.existing_key_constraint_types(relation) if relation is not none and relation.is_table else []) -%}
{%- endmacro %}

{#- For a project's own materialization: drops a relation that is built again under its name in the same transaction,
    and returns what is to be restored after that. -#}
{% macro drop_relation_for_rebuild(relation) -%}
  {%- do adapter.ensure_transaction() -%}
  {%- set dropped = drop_foreign_key_dependents(relation) -%}
  {%- do adapter.drop_relation(relation) -%}
  {%- do return(dropped) -%}
{%- endmacro %}
