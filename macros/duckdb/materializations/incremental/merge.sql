{#- DuckDB's MERGE with all of its clauses. Without `merge_clauses` it updates what matches and inserts what does not. -#}
{% macro duckdb__get_incremental_merge_sql(args_dict) -%}
  {%- do return(duckdb__get_merge_sql(
      args_dict['target_relation'], args_dict['temp_relation'], args_dict['unique_key'], args_dict['dest_columns'],
      args_dict.get('incremental_predicates')
  )) -%}
{%- endmacro %}

{% macro duckdb__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
  {%- do validate_merge_config(config, target) -%}
  {%- set defaults = merge_clause_defaults(
      config.get('merge_update_condition'),
      config.get('merge_insert_condition'),
      config.get('merge_update_columns') or [],
      config.get('merge_exclude_columns') or [],
      config.get('merge_update_set_expressions') or {}
  ) -%}
  {%- set columns_chosen = config.get('merge_update_columns') or config.get('merge_exclude_columns')
      or config.get('merge_update_set_expressions') -%}
  {%- set clauses = config.get('merge_clauses') or {} -%}
  {%- set returning = config.get('merge_returning_columns') -%}

  {{ config.get('sql_header') or '' }}
  merge into {{ target }} as DBT_INTERNAL_DEST
  using {{ source }} as DBT_INTERNAL_SOURCE
  {{ duckdb__merge_join_clause(
      unique_key, config.get('merge_on_using_columns'), normalize_incremental_predicates(incremental_predicates)
  ) }}
  {%- for clause in clauses.get('when_matched')
      or [defaults.when_matched_update_explicit if columns_chosen else defaults.when_matched_update_by_name] %}
  when matched{{ duckdb__merge_condition(clause) }} then {{ duckdb__merge_action(clause, dest_columns) }}
  {%- endfor %}
  {%- for clause in clauses.get('when_not_matched') or [defaults.when_not_matched_insert_by_name] %}
  when not matched{{ ' by ' ~ clause.by if clause.get('by') }}{{ duckdb__merge_condition(clause) }} then {{ duckdb__merge_action(clause, dest_columns) }}
  {%- endfor %}
  {%- if returning %}
  returning {{ returning | join(', ') }}
  {%- endif %}
{%- endmacro %}

{#- The clauses of a merge that configures none, in the form of `merge_clauses`. -#}
{% macro merge_clause_defaults(
    merge_update_condition,
    merge_insert_condition,
    merge_update_columns=[],
    merge_exclude_columns=[],
    merge_update_set_expressions={}
) -%}
  {%- do return({
      'when_matched_update_by_name': {'action': 'update', 'condition': merge_update_condition, 'mode': 'by_name'},
      'when_not_matched_insert_by_name': {'action': 'insert', 'condition': merge_insert_condition, 'mode': 'by_name'},
      'when_matched_update_explicit': {
          'action': 'update',
          'condition': merge_update_condition,
          'mode': 'explicit',
          'update': {
              'include': merge_update_columns,
              'exclude': merge_exclude_columns,
              'set_expressions': merge_update_set_expressions
          }
      }
  }) -%}
{%- endmacro %}

{#- On the unique key, or on `merge_on_using_columns` in its place. Without either nothing matches. -#}
{% macro duckdb__merge_join_clause(unique_key, merge_on_using_columns, incremental_predicates) -%}
  {%- set predicates = [] -%}
  {%- if merge_on_using_columns -%}
    using ({{ merge_on_using_columns | join(', ') }})
  {%- elif unique_key -%}
    {%- for key in ([unique_key] if unique_key is string else unique_key) -%}
      {%- do predicates.append('DBT_INTERNAL_SOURCE.' ~ key ~ ' = DBT_INTERNAL_DEST.' ~ key) -%}
    {%- endfor -%}
  {%- else -%}
    {%- do predicates.append('false') -%}
  {%- endif -%}
  {%- do predicates.extend(incremental_predicates or []) -%}
  {{ ' on (' ~ predicates | join(') and (') ~ ')' if predicates }}
{%- endmacro %}

{#- A clause's further condition: one text, or a list of which all must hold. -#}
{% macro duckdb__merge_condition(clause) -%}
  {%- set condition = clause.get('condition') -%}
  {%- if condition -%}
    {{ ' and ' ~ (condition if condition is string else '(' ~ condition | join(') and (') ~ ')') }}
  {%- endif -%}
{%- endmacro %}

{#- What a clause does with its rows. An update or insert with a mode takes its columns by that; without one it has
    its own `set_expressions`. -#}
{% macro duckdb__merge_action(clause, dest_columns) -%}
  {%- set action = clause.get('action') -%}
  {%- set modes = {'by_name': ' by name', 'by_position': ' by position', 'star': ' set *' if action == 'update' else ' *'} -%}
  {%- if action == 'delete' -%}
    delete
  {%- elif action == 'do_nothing' -%}
    do nothing
  {%- elif action == 'error' -%}
    {%- set message = clause.get('error_message') -%}
    error{{ " '" ~ message | replace("'", "''") ~ "'" if message }}
  {%- elif action in ['update', 'insert'] and clause.get('mode') in modes -%}
    {{ action }}{{ modes[clause.mode] }}
  {%- elif action == 'insert' -%}
    {%- set insert = clause.get('insert') or {} -%}
    insert ({{ insert.get('columns', []) | join(', ') }}) values ({{ insert.get('values', []) | join(', ') }})
  {%- elif action == 'update' and clause.get('mode') == 'explicit' -%}
    update set {{ duckdb__merge_assignments(clause.get('update') or {}, dest_columns) | join(', ') }}
  {%- elif action == 'update' -%}
    {%- set assignments = [] -%}
    {%- for column, expression in (clause.get('set_expressions') or {}).items() -%}
      {%- do assignments.append(column ~ ' = ' ~ expression) -%}
    {%- endfor -%}
    update set {{ assignments | join(', ') }}
  {%- endif -%}
{%- endmacro %}

{#- Returns the assignments of an explicit update: the expressions given, and the source's value for every other
    column that is updated. -#}
{% macro duckdb__merge_assignments(update, dest_columns) -%}
  {%- set expressions = update.get('set_expressions') or {} -%}
  {%- set assignments = [] -%}
  {%- for column, expression in expressions.items() -%}
    {%- do assignments.append(column ~ ' = ' ~ expression) -%}
  {%- endfor -%}
  {%- for column in get_merge_update_columns(update.get('include'), update.get('exclude'), dest_columns)
      if column | replace('"', '') not in expressions -%}
    {%- do assignments.append(column ~ ' = DBT_INTERNAL_SOURCE.' ~ column) -%}
  {%- endfor -%}
  {%- do return(assignments) -%}
{%- endmacro %}
