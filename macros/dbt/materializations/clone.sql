{#- `clone`: in the place of a model, what the state's manifest has for it: a clone of the table where the
    database can clone, a view over it where not. -#}
{% materialization clone, default %}
  {%- if not defer_relation -%}
    {{ log('No relation found in state manifest for ' ~ model.unique_id, info=True) }}
    {{ return({'relations': []}) }}
  {%- endif -%}

  {%- set existing_relation = load_cached_relation(this) -%}
  {%- if existing_relation and not flags.FULL_REFRESH -%}
    {{ log('Relation ' ~ existing_relation ~ ' already exists', info=True) }}
    {{ return({'relations': []}) }}
  {%- endif -%}

  {%- set other_relation = load_cached_relation(defer_relation) -%}
  {%- if other_relation and other_relation.is_table and can_clone_table() -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- if target_relation.render() != other_relation.render() -%}
      {% call statement('main') -%}
        {{ dbt.clear_the_way(existing_relation, target_relation, create_or_replace_clone(target_relation, defer_relation)) }}
      {%- endcall %}
    {%- endif -%}
    {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation)) %}
    {% do persist_docs(target_relation, model) %}
    {{ return({'relations': [target_relation]}) }}
  {%- else -%}
    {#- The runner gives a clone `select * from` the other relation as its SQL. -#}
    {%- set by_adapter = 'materialization_view_' ~ adapter.type() -%}
    {%- set view = context[by_adapter] if by_adapter in context else context['materialization_view_default'] -%}
    {{ return(view()) }}
  {%- endif -%}
{% endmaterialization %}

{% macro can_clone_table() -%}
  {%- do return(adapter.dispatch('can_clone_table', 'dbt')()) -%}
{%- endmacro %}

{% macro default__can_clone_table() -%}
  {%- do return(False) -%}
{%- endmacro %}

{% macro create_or_replace_clone(this_relation, defer_relation) -%}
  {%- do return(adapter.dispatch('create_or_replace_clone', 'dbt')(this_relation, defer_relation)) -%}
{%- endmacro %}

{% macro default__create_or_replace_clone(this_relation, defer_relation) -%}
  create or replace table {{ this_relation.render() }} clone {{ defer_relation.render() }}
{%- endmacro %}
