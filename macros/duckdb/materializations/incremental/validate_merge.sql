{#- Checks the merge configs of a model together and raises one error that names all that is wrong. -#}
{% macro validate_merge_config(config, target_relation=none) -%}
  {%- set errors = [] -%}
  {%- set fields = {
      'merge_update_condition': 'string',
      'merge_insert_condition': 'string',
      'merge_on_using_columns': 'sequence',
      'merge_update_columns': 'sequence',
      'merge_update_set_expressions': 'mapping',
      'merge_exclude_columns': 'sequence',
      'merge_returning_columns': 'sequence'
  } -%}
  {%- for name, kind in fields.items() -%}
    {%- set value = config.get(name) -%}
    {%- if kind == 'string' -%}
      {%- do validate_string_field(value, name, errors) -%}
    {%- elif kind == 'sequence' -%}
      {%- do validate_string_list_field(value, name, errors) -%}
    {%- else -%}
      {%- do validate_dict_field(value, name, errors) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- do validate_merge_clauses(config, fields, errors) -%}
  {%- if not errors -%}
    {%- do validate_ducklake_restrictions(config, target_relation, errors) -%}
  {%- endif -%}
  {%- if errors -%}
    {%- do exceptions.raise_compiler_error('MERGE configuration errors:\n' ~ errors | join('\n')) -%}
  {%- endif -%}
{%- endmacro %}

{% macro validate_string_field(field_value, field_name, errors) -%}
  {%- if field_value is not none and field_value is not string -%}
    {%- do errors.append(field_name ~ ' must be a string, found: ' ~ field_value) -%}
  {%- endif -%}
{%- endmacro %}

{% macro validate_string_list_field(field_value, field_name, errors) -%}
  {%- if field_value is none -%}
  {%- elif field_value is string or field_value is mapping or field_value is not sequence -%}
    {%- do errors.append(field_name ~ ' must be a list') -%}
  {%- else -%}
    {%- for item in field_value if item is not string -%}
      {%- do errors.append(field_name ~ ' must contain only string values, found: ' ~ item) -%}
    {%- endfor -%}
  {%- endif -%}
{%- endmacro %}

{% macro validate_dict_field(field_value, field_name, errors) -%}
  {%- if field_value is not none and field_value is not mapping -%}
    {%- do errors.append(field_name ~ ' must be a dictionary, found: ' ~ field_value) -%}
  {%- endif -%}
{%- endmacro %}

{#- `merge_clauses` says all of what a merge does, so that the simple configs beside it would mean nothing. -#}
{% macro validate_merge_clauses(config, base_configuration_fields, errors) -%}
  {%- set clauses = config.get('merge_clauses') -%}
  {%- if clauses is none -%}
  {%- elif clauses is not mapping -%}
    {%- do errors.append('merge_clauses must be a dictionary, found: ' ~ clauses) -%}
  {%- else -%}
    {%- if 'when_matched' not in clauses and 'when_not_matched' not in clauses -%}
      {%- do errors.append("merge_clauses must contain at least one of 'when_matched' or 'when_not_matched' keys") -%}
    {%- endif -%}
    {%- for clause_type in ['when_matched', 'when_not_matched'] if clause_type in clauses -%}
      {%- do validate_merge_clause_list(clauses, clause_type, errors) -%}
    {%- endfor -%}
    {%- set ignored = [] -%}
    {%- for name in base_configuration_fields
        if name not in ['merge_on_using_columns', 'merge_returning_columns'] and config.get(name) -%}
      {%- do ignored.append(name) -%}
    {%- endfor -%}
    {%- if ignored -%}
      {%- do errors.append(
          'When merge_clauses is specified, the following basic merge configurations will be ignored and should be removed: '
          ~ ignored | join(', ') ~ '. Define your merge behavior within merge_clauses instead.'
      ) -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}

{% macro validate_merge_clause_list(merge_clauses, clause_type, errors) -%}
  {%- set clauses = merge_clauses.get(clause_type) -%}
  {%- set name = 'merge_clauses.' ~ clause_type -%}
  {%- if clauses is string or clauses is mapping or clauses is not sequence -%}
    {%- do errors.append(name ~ ' must be a list') -%}
  {%- elif not clauses -%}
    {%- do errors.append(name ~ ' must contain at least one element') -%}
  {%- else -%}
    {%- for clause in clauses if clause is not mapping -%}
      {%- do errors.append(name ~ ' elements must be dictionaries, found: ' ~ clause) -%}
    {%- endfor -%}
  {%- endif -%}
{%- endmacro %}

{#- DuckLake's MERGE returns no rows and takes one UPDATE or DELETE. -#}
{% macro validate_ducklake_restrictions(config, target_relation, errors) -%}
  {%- if target_relation and adapter.is_ducklake(target_relation) -%}
    {%- if config.get('merge_returning_columns') -%}
      {%- do errors.append(
          'DuckLake MERGE restrictions: merge_returning_columns is not supported because DuckLake does not support RETURNING.'
      ) -%}
    {%- endif -%}
    {%- set clauses = config.get('merge_clauses') or {} -%}
    {%- set changing = [] -%}
    {%- for clause in clauses.get('when_matched', []) + clauses.get('when_not_matched', [])
        if clause.get('action') in ['update', 'delete'] -%}
      {%- do changing.append(clause) -%}
    {%- endfor -%}
    {%- if changing | length > 1 -%}
      {%- do errors.append(
          'DuckLake MERGE restrictions: merge_clauses can contain only a single UPDATE or DELETE action across '
          ~ 'when_matched and when_not_matched. Found ' ~ changing | length ~ ' UPDATE/DELETE actions.'
      ) -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}
