"""Of each expectation that may be asked for: when it is met, and when it is not."""

from __future__ import annotations

import json

from dataops_mesh.spec.checks.measures import GreatExpectation

DATA = """
    SELECT * FROM (VALUES
        (1, 1.5::DOUBLE, 'a', 10, DATE '2024-01-01', 1), (2, 2.5, 'ab', 20, DATE '2024-01-02', 1),
        (3, 3.5, 'abc', 20, DATE '2024-01-03', 1), (4, 100.0, NULL, 40, NULL, 1)
    ) AS t (i, f, s, g, d, h)
"""
# Of each expectation: arguments with which it is met, and with which it is not.
CASES = {
    "expect_column_distinct_values_to_be_in_set": (
        {"column": "s", "value_set": ["a", "ab", "abc"]},
        {"column": "s", "value_set": ["a"]},
    ),
    "expect_column_distinct_values_to_contain_set": (
        {"column": "s", "value_set": ["a"]},
        {"column": "s", "value_set": ["z"]},
    ),
    "expect_column_distinct_values_to_equal_set": (
        {"column": "s", "value_set": ["a", "ab", "abc"]},
        {"column": "s", "value_set": ["a"]},
    ),
    "expect_column_kl_divergence_to_be_less_than": (
        {
            "column": "s",
            "partition_object": {"values": ["a", "ab", "abc"], "weights": [0.3, 0.3, 0.4]},
            "threshold": 5.0,
        },
        {
            "column": "s",
            "partition_object": {"values": ["a", "ab", "abc"], "weights": [0.9, 0.05, 0.05]},
            "threshold": 0.01,
        },
    ),
    "expect_column_max_to_be_between": (
        {"column": "i", "max_value": 4},
        {"column": "i", "max_value": 3},
    ),
    "expect_column_mean_to_be_between": (
        {"column": "i", "max_value": 4},
        {"column": "i", "max_value": 2},
    ),
    "expect_column_median_to_be_between": (
        {"column": "i", "max_value": 4},
        {"column": "i", "max_value": 2},
    ),
    "expect_column_min_to_be_between": (
        {"column": "i", "max_value": 4},
        {"column": "i", "max_value": 0},
    ),
    "expect_column_most_common_value_to_be_in_set": (
        {"column": "g", "value_set": [20]},
        {"column": "g", "value_set": [1]},
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": (
        {"column_A": "g", "column_B": "i"},
        {"column_A": "i", "column_B": "g"},
    ),
    "expect_column_pair_values_to_be_equal": (
        {"column_A": "g", "column_B": "g"},
        {"column_A": "i", "column_B": "g"},
    ),
    "expect_column_pair_values_to_be_in_set": (
        {"column_A": "i", "column_B": "g", "value_pairs_set": [(1, 10), (2, 20), (3, 20), (4, 40)]},
        {"column_A": "i", "column_B": "g", "value_pairs_set": [(1, 10)]},
    ),
    "expect_column_proportion_of_non_null_values_to_be_between": (
        {"column": "s", "min_value": 0.5},
        {"column": "s", "min_value": 0.9},
    ),
    "expect_column_proportion_of_unique_values_to_be_between": (
        {"column": "s", "min_value": 0.5},
        {"column": "g", "min_value": 0.9},
    ),
    "expect_column_quantile_values_to_be_between": (
        {"column": "i", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[1, 4]]}},
        {"column": "i", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[8, 9]]}},
    ),
    "expect_column_stdev_to_be_between": (
        {"column": "i", "max_value": 4},
        {"column": "i", "max_value": 0.2},
    ),
    "expect_column_sum_to_be_between": (
        {"column": "i", "max_value": 40},
        {"column": "i", "max_value": 0.2},
    ),
    "expect_column_to_exist": (
        {"column": "i"},
        {"column": "zz"},
    ),
    "expect_column_type_to_be": (
        {"column": "i", "type_": "INTEGER"},
        {"column": "i", "type_": "VARCHAR"},
    ),
    "expect_column_unique_value_count_to_be_between": (
        {"column": "i", "min_value": 4},
        {"column": "i", "max_value": 3},
    ),
    "expect_column_value_lengths_to_be_between": (
        {"column": "s", "max_value": 3},
        {"column": "s", "max_value": 2},
    ),
    "expect_column_value_lengths_to_equal": (
        {"column": "s", "value": 1, "mostly": 0.1},
        {"column": "s", "value": 1},
    ),
    "expect_column_value_z_scores_to_be_less_than": (
        {"column": "f", "threshold": 3, "double_sided": True},
        {"column": "f", "threshold": 0.1, "double_sided": True},
    ),
    "expect_column_values_to_be_between": (
        {"column": "i", "max_value": 4},
        {"column": "i", "max_value": 2},
    ),
    "expect_column_values_to_be_in_set": (
        {"column": "s", "value_set": ["a", "ab", "abc"]},
        {"column": "s", "value_set": ["a"]},
    ),
    "expect_column_values_to_be_in_type_list": (
        {"column": "i", "type_list": ["INTEGER"]},
        {"column": "i", "type_list": ["VARCHAR"]},
    ),
    "expect_column_values_to_be_of_type": (
        {"column": "i", "type_": "INTEGER"},
        {"column": "i", "type_": "VARCHAR"},
    ),
    "expect_column_values_to_be_null": (
        {"column": "s", "mostly": 0.2},
        {"column": "s"},
    ),
    "expect_column_values_to_be_unique": (
        {"column": "i"},
        {"column": "g"},
    ),
    "expect_column_values_to_match_like_pattern": (
        {"column": "s", "like_pattern": "a%"},
        {"column": "s", "like_pattern": "b%"},
    ),
    "expect_column_values_to_match_like_pattern_list": (
        {"column": "s", "like_pattern_list": ["a%", "z%"]},
        {"column": "s", "like_pattern_list": ["b%", "z%"]},
    ),
    "expect_column_values_to_match_regex": (
        {"column": "s", "regex": "^a"},
        {"column": "s", "regex": "^b"},
    ),
    "expect_column_values_to_match_regex_list": (
        {"column": "s", "regex_list": ["^a", "x"]},
        {"column": "s", "regex_list": ["^b"]},
    ),
    "expect_column_values_to_not_be_in_set": (
        {"column": "s", "value_set": ["z"]},
        {"column": "s", "value_set": ["a"]},
    ),
    "expect_column_values_to_not_be_null": (
        {"column": "i"},
        {"column": "s"},
    ),
    "expect_column_values_to_not_be_outliers": (
        {"column": "f", "method": "std", "multiplier": 1000.0},
        {"column": "f", "method": "std", "multiplier": 0.01},
    ),
    "expect_column_values_to_not_match_like_pattern": (
        {"column": "s", "like_pattern": "b%"},
        {"column": "s", "like_pattern": "a%"},
    ),
    "expect_column_values_to_not_match_like_pattern_list": (
        {"column": "s", "like_pattern_list": ["b%"]},
        {"column": "s", "like_pattern_list": ["a%"]},
    ),
    "expect_column_values_to_not_match_regex": (
        {"column": "s", "regex": "^b"},
        {"column": "s", "regex": "^a"},
    ),
    "expect_column_values_to_not_match_regex_list": (
        {"column": "s", "regex_list": ["^b"]},
        {"column": "s", "regex_list": ["^a"]},
    ),
    "expect_compound_columns_to_be_unique": (
        {"column_list": ["i", "g"]},
        {"column_list": ["h", "g"]},
    ),
    "expect_multicolumn_sum_to_equal": (
        {"column_list": ["i", "g"], "sum_total": 11, "mostly": 0.2},
        {"column_list": ["i", "g"], "sum_total": 11},
    ),
    "expect_multicolumn_values_to_be_equal": (
        {"column_list": ["i", "i"]},
        {"column_list": ["i", "g"]},
    ),
    "expect_select_column_values_to_be_unique_within_record": (
        {"column_list": ["i", "g"]},
        {"column_list": ["i", "i"]},
    ),
    "expect_table_column_count_to_be_between": (
        {"max_value": 6},
        {"max_value": 2},
    ),
    "expect_table_column_count_to_equal": (
        {"value": 6},
        {"value": 2},
    ),
    "expect_table_columns_to_match_ordered_list": (
        {"column_list": ["i", "f", "s", "g", "d", "h"]},
        {"column_list": ["i"]},
    ),
    "expect_table_columns_to_match_set": (
        {"column_set": ["i", "f", "s", "g", "d", "h"]},
        {"column_set": ["i"]},
    ),
    "expect_table_row_count_to_be_between": (
        {"max_value": 5},
        {"max_value": 2},
    ),
    "expect_table_row_count_to_equal": (
        {"value": 4},
        {"value": 2},
    ),
    "unexpected_rows_expectation": (
        {"unexpected_rows_query": "select * from {batch} where i > 9"},
        {"unexpected_rows_query": "select * from {batch} where i > 2"},
    ),
}


def asked(name: str, kwargs: object) -> GreatExpectation:
    return GreatExpectation(name, json.dumps(kwargs, sort_keys=True))
