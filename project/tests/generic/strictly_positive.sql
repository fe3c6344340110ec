{# A number, where there is one, is greater than zero. #}
{% test strictly_positive(model, column_name) %}

select {{ column_name }}
from {{ model }}
where {{ column_name }} <= 0

{% endtest %}
