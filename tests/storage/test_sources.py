"""Files of every kind, whole and broken, batch by batch."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from layer7.errors import Layer7Error
from layer7.storage.intake import sources
from layer7.storage.intake.sources import find_files, read_batches

TWO = [{"a": 1}, {"a": 2}]
LINES = b'{"a": 1}\n{"a": 2}\n'


def read(path):
    return [
        (position, line)
        for batch in read_batches(path)
        for position, line in zip(
            *(batch.table[name].to_pylist() for name in ("position", "line")), strict=True
        )
    ]


def written(tmp_path, content, name="events.jsonl"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [LINES, LINES[:-1], LINES.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + LINES],
    ids=["plain", "no last newline", "CRLF", "BOM"],
)
@pytest.mark.parametrize(
    "name", ["events.jsonl", "events.ndjson", "EVENTS.JSON", "events.json.gz", "events.jsonl.gz"]
)
def test_lines_of_every_dress(tmp_path, content, name):
    path = written(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    assert [(at, json.loads(line)) for at, line in read(path)] == [(1, TWO[0]), (2, TWO[1])]


def test_blank_lines_are_passed_over_and_counted(tmp_path):
    assert read(written(tmp_path, b'\n\n{"a": 1}\n \t\r\n\n{"a": 2}\n\n')) == [
        (3, '{"a": 1}'),
        (6, '{"a": 2}'),
    ]


def test_an_empty_file_holds_nothing(tmp_path):
    assert read(written(tmp_path, b"")) == []
    assert read(written(tmp_path, b"\n \n", "blank.json")) == []


@pytest.mark.parametrize("chunk", [1, 7, 9, 10, 64])
def test_chunks_change_nothing(tmp_path, monkeypatch, chunk):
    content = b'\n{"a": 1}\n\n{"b": "long enough"}\n{"c": 3}'
    expected = read(written(tmp_path, content))
    monkeypatch.setattr(sources, "_CHUNK", chunk)
    monkeypatch.setattr(sources, "_PIECE", chunk)
    assert (
        read(written(tmp_path, content))
        == expected
        == [(2, '{"a": 1}'), (4, '{"b": "long enough"}'), (5, '{"c": 3}')]
    )


def test_invalid_utf8_harms_its_own_line_only(tmp_path):
    found = read(written(tmp_path, b'{"a": 1}\n{"a": "\xff"}\n{"a": "\xc3\xa9"}\n'))
    assert [line for _, line in found] == ['{"a": 1}', '{"a": "\\xff"}', '{"a": "é"}']
    with pytest.raises(ValueError, match="escape"):
        json.loads(found[1][1])


def test_an_overlong_line_is_cut_and_the_next_one_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_CHUNK", 100)
    monkeypatch.setattr(sources, "_PIECE", 100)
    monkeypatch.setattr(sources, "MAX_BYTES", 50)
    found = read(written(tmp_path, b'{"a": 1}\n{"a": "' + b"x" * 1000 + b'"}\n{"a": 2}\n'))
    assert [(at, line[:10], len(line) <= 200) for at, line in found] == [
        (1, '{"a": 1}', True),
        (2, '{"a": "xxx', True),
        (3, '{"a": 2}', True),
    ]


def test_a_truncated_gzip_gives_what_came_before(tmp_path):
    lines = [json.dumps({"a": at, "noise": str(at * 7919 % 10_007)}) for at in range(20_000)]
    whole = gzip.compress("\n".join(lines).encode())
    path = written(tmp_path, whole[: len(whole) * 2 // 3], "cut.jsonl.gz")
    batches = read_batches(path)
    found = next(batches).table["line"].to_pylist()
    with pytest.raises(Layer7Error) as error:
        next(batches)
    assert error.value.code == "unreadable_file"
    assert len(found) > 5000
    assert found == lines[: len(found)]


def test_first_bytes_count_for_more_than_a_name(tmp_path):
    assert read(written(tmp_path, LINES, "x.jsonl.gz")) == [(1, '{"a": 1}'), (2, '{"a": 2}')]
    assert len(read(written(tmp_path, gzip.compress(LINES), "x.jsonl"))) == 2
    with pytest.raises(Layer7Error) as error:
        list(read_batches(written(tmp_path, b"no parquet", "x.parquet")))
    assert error.value.code == "unreadable_file"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.jsonl.gz"])
def test_other_encodings_are_told_by_name(tmp_path, encoding, name):
    content = LINES.decode().encode(encoding)
    path = written(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    with pytest.raises(Layer7Error, match="UTF-8") as error:
        list(read_batches(path))
    assert error.value.code == "unreadable_file"


def test_hidden_files_are_taken_only_when_named(tmp_path):
    hidden = written(tmp_path, LINES, ".half.jsonl")
    (tmp_path / ".cache").mkdir()
    written(tmp_path / ".cache", LINES)
    shown = written(tmp_path, LINES)
    assert find_files([tmp_path]) == (shown,)
    assert find_files([hidden, tmp_path / ".cache"]) == (hidden, tmp_path / ".cache" / "events.jsonl")


class TestDocuments:
    def test_an_array(self, tmp_path):
        path = written(tmp_path, json.dumps(TWO, indent=2).encode(), "x.json")
        assert [(at, json.loads(line)) for at, line in read(path)] == [(1, TWO[0]), (2, TWO[1])]

    def test_an_empty_array(self, tmp_path):
        assert read(written(tmp_path, b" [ ]\n", "x.json")) == []

    def test_one_object_over_several_lines(self, tmp_path):
        path = written(tmp_path, json.dumps({"a": {"b": 1}}, indent=2).encode(), "x.json")
        assert [(at, json.loads(line)) for at, line in read(path)] == [(1, {"a": {"b": 1}})]

    def test_elements_keep_every_key_they_have(self, tmp_path):
        """So that a key that comes twice is refused, not silently the last one."""
        assert read(written(tmp_path, b'[{"a": 1, "a": 2}, NaN]', "x.json")) == [
            (1, '{"a": 1, "a": 2}'),
            (2, "NaN"),
        ]

    @pytest.mark.parametrize(
        ("content", "lines"),
        [
            (b'[{"a": 1}, {"a": ', ['{"a": 1}', '{"a":']),
            (b'[{"a": 1},]', ['{"a": 1}', "]"]),
            (b'[{"a": 1}] {}', ['{"a": 1}', "] {}"]),
            (b"[", ["["]),
            (b"[" * 100_000, ["[" * 99_999]),
        ],
    )
    def test_a_broken_array_gives_what_came_before(self, tmp_path, content, lines):
        assert [line for _, line in read(written(tmp_path, content, "x.json"))] == lines

    def test_a_bad_first_line_does_not_cost_the_others(self, tmp_path):
        found = read(written(tmp_path, b'{"a": oops}\n{"a": 1}\n{"a": 2}\n', "x.json"))
        assert [line for _, line in found] == ['{"a": oops}', '{"a": 1}', '{"a": 2}']

    def test_too_large_a_document_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sources, "_MAX_DOCUMENT", 100)
        with pytest.raises(Layer7Error) as error:
            list(read_batches(written(tmp_path, json.dumps([1] * 100).encode(), "x.json")))
        assert error.value.code == "too_large"

    def test_lines_have_no_such_limit(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sources, "_MAX_DOCUMENT", 100)
        assert len(read(written(tmp_path, LINES * 100, "x.json"))) == 200


class TestParquet:
    def test_rows_in_batches(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sources, "_ROWS", 3)
        path = tmp_path / "x.parquet"
        pq.write_table(pa.table({"a": list(range(7)), "position": ["x"] * 7}), path)
        tables = [batch.table for batch in read_batches(path)]
        assert [table["position"].to_pylist() for table in tables] == [[1, 2, 3], [4, 5, 6], [7]]
        assert [table["a"].to_pylist() for table in tables] == [[0, 1, 2], [3, 4, 5], [6]]

    def test_names_that_differ_in_case_only(self, tmp_path):
        path = tmp_path / "x.parquet"
        pq.write_table(pa.table({"User_ID": ["x"], "user_id": ["u"], "LINE": ["l"]}), path)
        (batch,) = read_batches(path)
        assert batch.table.to_pylist() == [{"user_id": "u", "position": 1}]

    def test_one_name_twice(self, tmp_path):
        path = tmp_path / "x.parquet"
        pq.write_table(pa.table([pa.array(["first"]), pa.array([1])], names=["user_id", "user_id"]), path)
        (batch,) = read_batches(path)
        assert batch.table.to_pylist() == [{"user_id": "first", "position": 1}]

    def test_texts_that_repeat_are_dictionaries(self, tmp_path):
        table = pa.table({"often": ["x", "y"] * 500, "rarely": [f"{at:09d}" for at in range(1000)]})
        pq.write_table(table, tmp_path / "x.parquet")
        (batch,) = read_batches(tmp_path / "x.parquet")
        assert batch.table["often"].type == pa.dictionary(pa.int32(), pa.string())
        assert batch.table["rarely"].type == pa.string()
        assert batch.table.select(table.column_names).to_pylist() == table.to_pylist()

    def test_dictionaries_of_numbers_are_plain(self, tmp_path):
        path = tmp_path / "x.parquet"
        pq.write_table(pa.table({"a": pa.array([3, 3, 4]).dictionary_encode()}), path)
        (batch,) = read_batches(path)
        assert batch.table["a"].to_pylist() == [3, 3, 4]
        assert batch.table["a"].type == pa.int64()

    def test_half_floats_and_huge_decimals_are_read_as_the_engine_knows_numbers(self, tmp_path):
        path, huge = tmp_path / "x.parquet", pa.decimal256(60, 2)
        half = pa.array([None, 66.8125], pa.float16())
        inner = pa.StructArray.from_arrays([half, pa.array(["x", "x"]).dictionary_encode()], ["a", "b"])
        pq.write_table(pa.table({"half": half, "huge": pa.array([1, 2], huge), "inner": inner}), path)
        (batch,) = read_batches(path)
        assert batch.table["half"].type == pa.float32()
        assert batch.table.to_pylist()[1] == {
            "half": 66.8125,
            "huge": 2.0,
            "inner": {"a": 66.8125, "b": "x"},
            "position": 2,
        }

    @pytest.mark.parametrize("row_group", [10, 1000])
    def test_a_batch_stays_small_however_long_the_rows_and_the_file(self, tmp_path, monkeypatch, row_group):
        monkeypatch.setattr(sources, "_CHUNK", 50_000)
        words = [f"{at:04d}" * 250 for at in range(1000)]
        pq.write_table(pa.table({"a": words}), tmp_path / "x.parquet", row_group_size=row_group)
        sizes = [batch.table.num_rows for batch in read_batches(tmp_path / "x.parquet")]
        assert sum(sizes) == 1000
        assert max(sizes) <= 50

    def test_a_truncated_file_is_reported(self, tmp_path):
        buffer = io.BytesIO()
        pq.write_table(pa.table({"a": list(range(1000))}), buffer)
        with pytest.raises(Layer7Error) as error:
            list(read_batches(written(tmp_path, buffer.getvalue()[:-100], "x.parquet")))
        assert error.value.code == "unreadable_file"


class TestFinding:
    def test_a_folder_is_searched_through_in_order(self, tmp_path):
        for name in ("b.jsonl", "a/c.parquet", "a/readme.txt", "z.json.gz"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        found = [str(path.relative_to(tmp_path)) for path in find_files([tmp_path])]
        assert found == ["a/c.parquet", "b.jsonl", "z.json.gz"]

    def test_a_file_named_twice_is_read_once(self, tmp_path):
        path = written(tmp_path, LINES)
        assert find_files([path, tmp_path, path]) == (path,)

    @pytest.mark.parametrize(
        ("name", "code"), [("gone.jsonl", "no_such_file"), ("log.csv", "unknown_format")]
    )
    def test_what_cannot_be_read_is_refused(self, tmp_path, name, code):
        if code == "unknown_format":
            (tmp_path / name).touch()
        with pytest.raises(Layer7Error) as error:
            find_files([tmp_path / name])
        assert error.value.code == code
