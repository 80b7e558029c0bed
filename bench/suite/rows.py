"""What was measured: rows of samples, the bars they are held against, and how a row is taken: all
its peers in turn, five rounds."""

import os
import statistics
import time

from processes import do_together


LONGEST_WAIT = 15  # seconds: RocksDB and LevelDB have tidied up a million keys by then
ATTEMPTS = 4
DISTURBED = 0.08  # of a round's time that its processes waited for a processor


class Sample:
    """One round of one peer."""

    def __init__(self, value, client_cpu=None, server_cpu=None):
        self.value = value
        self.client_cpu = client_cpu  # seconds for a million operations
        self.server_cpu = server_cpu


class Row:
    """One line of the table: a number for each peer. `unit` says which, `more` whether more of it
    is better."""

    def __init__(self, name, title, unit, more=False, note=""):
        self.name, self.title, self.unit, self.more, self.note = name, title, unit, more, note
        self.samples = {}  # peer -> [Sample]
        self.latency = {}  # peer -> {upper end in ns: count}
        self.bars = []
        self.disturbed = 0

    def add(self, peer, sample):
        self.samples.setdefault(peer, []).append(sample)

    def add_latency(self, peer, buckets):
        counts = self.latency.setdefault(peer, {})
        for end, count in buckets:
            counts[end] = counts.get(end, 0) + count

    def median(self, peer, what="value"):
        values = [getattr(sample, what) for sample in self.samples.get(peer, [])]
        values = [value for value in values if value is not None]
        return statistics.median(values) if values else None

    def cpu(self, peer):
        """Of both sides."""
        client, server = self.median(peer, "client_cpu"), self.median(peer, "server_cpu")
        return None if client is None else client + (server or 0)

    def percentile(self, peer, share):
        """In ns: the time that `share` of the operations did not exceed."""
        counts = self.latency.get(peer)
        if not counts:
            return None
        left = share * sum(counts.values())
        for end in sorted(counts):
            left -= counts[end]
            if left <= 0:
                return end
        return max(counts)

    # Bars. Each compares medians of this very run.

    def at_most(self, factor, peer, other=None, what="value"):
        """dfs needs at most `factor` times what a peer needs, here or in another row."""
        ours, theirs = self._pair(peer, other, what)
        self._bar(f"at most {factor:g} x {label(peer)}{of_row(other)}{of(what)}", ours, theirs,
                  lambda ratio: ratio <= factor, "x")

    def at_least(self, factor, peer):
        """dfs is at least `factor` times as fast."""
        ours, theirs = self._pair(peer, None, "value")
        if self.more:
            self._bar(f"at least {factor:g} x {label(peer)}", ours, theirs,
                      lambda ratio: ratio >= factor, "x")
        else:
            self._bar(f"{factor:g} x faster than {label(peer)}", theirs, ours,
                      lambda ratio: ratio >= factor, "x")

    def below(self, limit, text, value=None):
        """dfs stays below a number."""
        value = self.median("dfs") if value is None else value
        self._bar(text, value, 1, lambda ratio: ratio <= limit, "")

    def no_more_cpu_than(self, peer):
        if self.cpu("dfs") is not None and self.cpu(peer) is not None:
            self.at_most(1, peer, what="cpu")

    def _pair(self, peer, other, what):
        if what == "cpu":
            return self.cpu("dfs"), self.cpu(peer)
        return self.median("dfs"), (other or self).median(peer)

    def _bar(self, text, above, below, holds, suffix):
        if above is None or below is None or below == 0:
            self.bars.append({"bar": text, "measured": None, "met": None})
            return
        ratio = above / below
        self.bars.append({"bar": text, "measured": ratio, "suffix": suffix, "met": bool(holds(ratio))})


def label(peer):
    return {"dfs": "dfs", "hash_map": "hash map", "lmdb": "LMDB", "redis": "Redis", "sqlite": "SQLite",
            "leveldb": "LevelDB", "rocksdb": "RocksDB", "bare": "by hand"}.get(peer, peer)


def of(what):
    return "'s processor time" if what == "cpu" else ""


def of_row(other):
    return "" if other is None else f" ({other.title})"


class Rounds:
    """Takes rows. Five rounds of all peers in turn; a round during which others had the processors
    is taken again, three times at the most."""

    def __init__(self, count, seconds, say, patience=0):
        self.count, self.seconds, self.say = count, seconds, say
        self.patience = patience  # seconds that may still be spent on waiting and on rounds taken again

    def settle(self, stores):
        """Waits until the peers have tidied up behind what they were given, and the disk has it."""
        if self.patience > 0:
            begin = time.monotonic()
            os.sync()
            while time.monotonic() - begin < min(self.patience, LONGEST_WAIT):
                before = sum(store.cpu() for store in stores.values())
                time.sleep(0.2)
                if sum(store.cpu() for store in stores.values()) - before < 0.01:
                    break
            self.patience -= time.monotonic() - begin

    def operations(self, store, order, most, warm):
        """How many operations of an order take the time of a round."""
        answer = store.worker.do(f"{order} operations={warm} timed=0")
        if answer is None or answer["operations"] == 0:
            return None
        each = max(answer["seconds"] / answer["operations"], 1e-9)
        # At least as many as a group of sixteen wants, and whole groups.
        return max(64, min(most, int(self.seconds / each))) // 16 * 16

    def take(self, row, stores, order, most=2_000_000, warm=4000, timed=False, per=1, rewarm=True):
        """Fills a row with what an order costs each store, one worker each: ns for an operation (of
        which `per` are counted as one), or operations a second."""
        self.settle(stores)
        counts = {}
        for peer, store in stores.items():
            count = self.operations(store, order, most, warm)
            if count is not None:
                counts[peer] = count
        for turn in range(self.count + (1 if rewarm else 0)):
            for peer, count in counts.items():
                text = f"{order} operations={count} timed={int(timed)} seed={turn + 2}"
                answer, server_cpu = self.quiet(row, stores[peer], text)
                if answer["absent"] > 0:
                    raise RuntimeError(f"{peer}: {text}: {answer['absent']} keys were not found")
                if turn == 0 and rewarm:
                    continue  # the pages of the first walk over everything
                self.record(row, peer, [answer], server_cpu, per)
        self.say(row)

    def quiet(self, row, store, text):
        for attempt in range(ATTEMPTS):
            waited, cpu = store.waited(), store.server.cpu()
            answer = store.worker.do(text)
            server_cpu = store.server.cpu() - cpu
            waited = store.waited() - waited
            if attempt == ATTEMPTS - 1 or waited < 0.005 + answer["seconds"] * DISTURBED or self.patience <= 0:
                break
            row.disturbed += 1
            self.patience -= answer["seconds"] + 0.2
            time.sleep(0.2)
        return answer, server_cpu

    def record(self, row, peer, answers, server_cpu, per=1):
        operations = sum(answer["operations"] for answer in answers)
        seconds = max(answer["seconds"] for answer in answers)
        million = operations / 1e6
        if row.more:
            value = sum(answer["operations"] / answer["seconds"] for answer in answers)
        else:
            value = seconds * 1e9 / operations / per
        client_cpu = sum(answer["cpu_seconds"] for answer in answers) / million
        row.add(peer, Sample(value, client_cpu / per, server_cpu / million / per))
        for answer in answers:
            row.add_latency(peer, answer["latency"])

    def take_together(self, row, stores, order, clients, seconds=None):
        """Fills a row of operations a second with `clients` processes for each store."""
        self.settle(stores)
        for turn in range(self.count):
            for peer, store in stores.items():
                workers = store.more(clients)
                orders = [f"{order} seconds={seconds or self.seconds} seed={turn * 1000 + i + 1}"
                          for i in range(clients)]
                cpu = store.server.cpu()
                answers = do_together(workers, orders)
                self.record(row, peer, answers, store.server.cpu() - cpu)
        self.say(row)
