"""Batches that decompress to more than a limit are told of, not decompressed.

A batch of a megabyte can hold gigabytes of zeros, and kafka-python decompresses whatever comes. In
place of the records of such a batch one record is read: empty, at the offset of the last of them,
with a header that says so. It becomes a dead letter, and the stream goes on.
"""

from __future__ import annotations

import io
import zlib
from typing import Any

import lz4.frame
import zstandard
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch

from streaming.records import TRUNCATED_FROM

MAX_BATCH_BYTES = 32 << 20  # decompressed; of 4 KiB events that would be 8,000 in one batch
GZIP = 16 + zlib.MAX_WBITS


class BoundedBatch(DefaultRecordBatch):  # type: ignore[misc]  # kafka-python has no types
    """A batch as kafka-python reads it, within the limit."""

    _buffer: bytearray
    _pos: int
    _num_records: int
    _decompressed: bool

    def __init__(self, buffer: Any) -> None:
        super().__init__(buffer)
        self._refused = False

    def _maybe_uncompress(self) -> None:
        if not self._decompressed and self.compression_type in _DECOMPRESSED:
            packed = bytes(memoryview(self._buffer)[self._pos :])
            content = _DECOMPRESSED[self.compression_type](packed, MAX_BATCH_BYTES + 1)
            self._refused = len(content) > MAX_BATCH_BYTES
            if self._refused:
                content, self._num_records = b"", 0
            self._buffer, self._pos = bytearray(content), 0
            self._decompressed = True
        super()._maybe_uncompress()

    def __next__(self) -> Any:
        if self._refused:
            self._refused = False
            had = f"a batch of {self.records_count} records of over {MAX_BATCH_BYTES}"
            return DefaultRecord(
                0,
                self.last_offset,
                self.max_timestamp,
                self.timestamp_type,
                None,
                b"",
                [(TRUNCATED_FROM, had.encode())],
            )
        return super().__next__()


def install() -> None:
    """Let every consumer of kafka-python in this process read bounded batches."""
    memory_records.DefaultRecordBatch = BoundedBatch


def _gzip(packed: bytes, limit: int) -> bytes:
    return zlib.decompressobj(GZIP).decompress(packed, limit)


def _lz4(packed: bytes, limit: int) -> bytes:
    found: bytes = lz4.frame.LZ4FrameDecompressor().decompress(packed, max_length=limit)
    return found


def _zstd(packed: bytes, limit: int) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(
        io.BytesIO(packed), read_across_frames=True
    ) as reader:
        return reader.read(limit)


_DECOMPRESSED = {
    DefaultRecordBatch.CODEC_GZIP: _gzip,
    DefaultRecordBatch.CODEC_LZ4: _lz4,
    DefaultRecordBatch.CODEC_ZSTD: _zstd,
}
