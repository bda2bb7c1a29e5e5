from learnsym.report import text_table
from learnsym.report.run.results import Analysis


def test_the_table_has_every_data_set_twin_and_notion(analysis: Analysis):
    table = text_table(analysis)
    for data in analysis.data:
        for twin in data.twins:
            assert any(line.split()[:2] == [data.label, twin.name] for line in table.splitlines())
    assert "61 [55, 67]" in table
    assert "distribution" in table and "task" in table and "0.080 ± 0.004 (0.030)" in table


def test_columns_of_the_table_are_aligned(analysis: Analysis):
    first = text_table(analysis).split("\n\n")[0].splitlines()
    start = first[0].index("accuracy")
    assert all(line[start - 2 : start] in ("  ", "--") or line.startswith("-") for line in first)
