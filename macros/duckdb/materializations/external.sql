{#- The model's rows go to a file (parquet, csv or json), and a view reads them from there. -#}
{% materialization external, adapter='duckdb' %}
  {%- set location = render(config.get('location', default=external_location(this, config))) -%}
  {%- set options = dbt.external_file_options(location, render_write_options(config)) -%}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='view') -%}
  {%- set temp_relation = make_intermediate_relation(this.incorporate(type='table')) -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {% call statement('create_table') -%}
    {{ create_table_as(False, temp_relation, compiled_code) }}
  {%- endcall %}
  {#- A file without rows says nothing of its columns: a row of nulls does, which the view leaves out. -#}
  {%- set is_empty = run_query('select count(*) from ' ~ temp_relation).rows[0][0] == 0 -%}
  {%- if is_empty -%}
    {%- do run_query('insert into ' ~ temp_relation ~ ' default values') -%}
  {%- endif -%}
  {%- do write_to_file(temp_relation, location, adapter.external_write_options(location, options)) -%}

  {%- set build_sql -%}
    create or replace view {{ target_relation }} as (
      select * from {{ dbt.external_read_function(location, options) }}
      {%- if is_empty %}
      where {{ get_quoted_csv(get_list_of_column_names(get_columns_in_relation(temp_relation))) | replace(', ', ' is not null and ') }} is not null
      {%- endif %}
    );
  {%- endset -%}
  {% call statement('main') -%}
    {{ dbt.clear_the_way(existing_relation, target_relation, build_sql) }}
  {%- endcall %}
  {%- do adapter.drop_relation(temp_relation) -%}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation)) %}
  {% do persist_docs(target_relation, model) %}
  {{ adapter.commit() }}

  {%- set plugin = 'glue|' ~ config.get('glue_database', 'default') if config.get('glue_register') else config.get('plugin') -%}
  {%- if plugin -%}
    {%- do store_relation(plugin, target_relation, location, options.format, config) -%}
  {%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=False) }}

  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- Where a model is written that sets no `location`. Partitions are a folder of files. -#}
{% macro external_location(relation, config) -%}
  {%- set folder = adapter.external_root() ~ '/' ~ relation.identifier -%}
  {{- folder if config.get('options', {}).get('partition_by') is not none else folder ~ '.' ~ config.get('format', 'parquet') -}}
{%- endmacro %}

{#- Returns the model's options for writing, rendered: `options`, and `format` and `delimiter` beside them. -#}
{% macro render_write_options(config) -%}
  {%- set configured = config.get('options', {}) -%}
  {%- if configured is not mapping -%}
    {%- do exceptions.raise_compiler_error('The options argument must be a dictionary') -%}
  {%- endif -%}
  {%- set options = {} -%}
  {%- for name, value in configured.items() -%}
    {%- do options.update({name: render(value)}) -%}
  {%- endfor -%}
  {%- for name in ['format', 'delimiter'] if config.get(name) -%}
    {%- do options.update({name: render(config.get(name))}) -%}
  {%- endfor -%}
  {%- do return(options) -%}
{%- endmacro %}

{#- Adds to the options what the name of the file says where they do not: its format and its compression. -#}
{% macro external_file_options(location, options) -%}
  {%- if config.get('format') and config.get('format') not in ['csv', 'parquet', 'json'] -%}
    {%- do exceptions.raise_compiler_error(
        'Invalid format: ' ~ config.get('format') ~ '. Allowed formats are: csv, parquet, json'
    ) -%}
  {%- endif -%}
  {%- if 'format' not in options -%}
    {%- set extensions = (location.split('/') | last | lower).split('.')[1:] -%}
    {%- set compression = {'gz': 'gzip', 'zst': 'zstd'}.get(extensions | last) if extensions else none -%}
    {%- set extensions = extensions[:-1] if compression else extensions -%}
    {%- if extensions -%}
      {%- do options.update({'format': extensions | last}) -%}
      {%- if compression and 'compression' not in options -%}
        {%- do options.update({'compression': compression}) -%}
      {%- endif -%}
    {%- else -%}
      {%- do options.update({'format': 'csv' if 'delimiter' in options else 'parquet'}) -%}
    {%- endif -%}
  {%- endif -%}
  {%- do return(options) -%}
{%- endmacro %}

{#- The call that reads back what the options wrote, with the model's `<format>_read_options`. -#}
{% macro external_read_function(location, options) -%}
  {%- set written = options.format | lower -%}
  {%- set format = written if written in ['csv', 'json'] else 'parquet' -%}
  {%- set read_options = config.get(
      format ~ '_read_options', {'union_by_name': False} if format == 'parquet' else {'auto_detect': True}
  ) -%}
  {%- set arguments = ["'" ~ adapter.external_read_location(location, options) ~ "'"] -%}
  {%- for name, value in read_options.items() -%}
    {%- do arguments.append(name ~ '=' ~ ("'" ~ value ~ "'" if value is string else value)) -%}
  {%- endfor -%}
  {#- DuckDB sees a compression in an extension of small letters only. -#}
  {%- if format != 'parquet' and options.compression and 'compression' not in read_options -%}
    {%- do arguments.append("compression='" ~ options.compression ~ "'") -%}
  {%- endif -%}
  read_{{ format }}({{ arguments | join(', ') }})
{%- endmacro %}

{% macro location_exists(location) -%}
  {%- do return(adapter.location_exists(location)) -%}
{%- endmacro %}

{#- A file is written beside its place and renamed, so that readers and crashes see the old one or the new one. DuckDB
    does that to one local file; several, and what lies in a cloud, are written in place. -#}
{% macro write_to_file(relation, location, options) -%}
  {%- set in_place = ['use_tmp_file', 'partition_by', 'per_thread_output', 'file_size_bytes', 'row_groups_per_file'] -%}
  {%- set aside = '://' not in location and not location.startswith('/dev/') -%}
  {%- if in_place | select('in', options | lower) | list -%}
    {%- set aside = false -%}
  {%- endif -%}
  {%- call statement('write_to_file') -%}
    copy {{ relation }} to '{{ location }}' ({{ options }}{{ ', use_tmp_file true' if aside }})
  {%- endcall -%}
{%- endmacro %}

{#- Hands what was written to a plugin: a catalog that keeps track of the files, for example. -#}
{% macro store_relation(plugin, relation, location, format, config) -%}
  {%- do adapter.store_relation(plugin, relation, adapter.get_columns_in_relation(relation), location, format, config) -%}
{%- endmacro %}

{#- For `on-run-start`: views over the files of external models that this run reads and does not build, as they are
    not in a database that starts empty. It prints a blank line, so that the hook has a compiled file, as in dbt. -#}
{% macro register_upstream_external_models() %}
  {% if execute -%}
    {%- set upstream = {} -%}
    {%- for selected in selected_resources if selected in graph['nodes'] -%}
      {%- for id in graph['nodes'][selected]['depends_on']['nodes'] if id not in selected_resources and id in graph['nodes'] -%}
        {%- set node = graph['nodes'][id] -%}
        {%- if node.resource_type in ['model', 'seed'] and node.config.materialized == 'external' -%}
          {%- do upstream.update({id: node}) -%}
        {%- endif -%}
      {%- endfor -%}
    {%- endfor -%}
    {%- set schemas = [] -%}
    {%- for node in upstream.values() -%}
      {%- set relation = api.Relation.create(database=node['database'], schema=node['schema'], identifier=node['alias']) -%}
      {%- set location = node.config.get('location') or external_location(relation, node.config) -%}
      {%- set read_location = adapter.external_read_location(location, render_write_options(node.config)) -%}
      {%- set schema = relation.without_identifier() | string -%}
      {%- call statement('main') -%}
        {{ 'create schema if not exists ' ~ schema ~ ';' if schema not in schemas }}
        create or replace view {{ relation }} as (
          select * from '{{ read_location }}'
        );
      {%- endcall -%}
      {%- do schemas.append(schema) -%}
    {%- endfor -%}
    {%- if schemas -%}
      {%- do adapter.commit() -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}
