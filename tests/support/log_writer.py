"""A program that publishes numbers until it is killed: ``log_writer URL TOPIC NAME BATCH``.

Each message holds its sequence and its place in the batch. Prints a line per publish.
"""

from __future__ import annotations

import itertools
import sys
import time

from streaming.records import OutRecord
from streaming.transports.registry import open_transport


def main(url: str, topic: str, name: str, batch: str) -> None:
    """Publish for ever, from the sequence that the log has."""
    transport = open_transport(url, time.time)
    publisher = transport.publisher(name)
    for sequence in itertools.count(publisher.last_sequence() + 1):
        records = [
            OutRecord(topic, b"%d" % place, b"%d/%d" % (sequence, place))
            for place in range(int(batch))
        ]
        publisher.publish(records, sequence)
        print(sequence, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
