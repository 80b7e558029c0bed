"""The processes of the suite: servers that are started and stopped, and workers (dfs-bench) that do
what they are told. What a process costs is read from /proc."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    """Processor seconds of a process so far, all its threads and the children it waited for."""
    try:
        total = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
        return total / 1e9
    except (OSError, ValueError):
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return sum(int(fields[i]) for i in (11, 12, 13, 14)) / TICKS


def waited_of(pid):
    """Seconds that threads of a process could have run and had no processor; 0 where that is not
    told."""
    try:
        total = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[1])
        return total / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def switches_of(pid):
    """How often threads of a process were put on a processor after they had waited."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
    return total


def memory_of(pid):
    """Bytes of memory of a process: its own, and its share of what it maps."""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            words = line.split()
            if len(words) == 3 and words[2] == "kB":
                found[words[0].rstrip(":")] = int(words[1]) * 1024
    return found.get("Pss", 0)


class NoServer:
    """Of a peer that lives in its client, or in files alone."""

    pid = None

    def cpu(self):
        return 0.0

    def stop(self):
        pass


class Server:
    """A child process that serves."""

    def __init__(self, command, log):
        self.log = open(log, "ab")
        self.command = command
        self.child = None
        self.pid = None

    def spawn(self, **more):
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log,
                                      stderr=self.log, **more)
        self.pid = self.child.pid

    def cpu(self):
        return cpu_of(self.pid)

    def stop(self):
        """Ends it cleanly."""
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait()
        self.child = None


class Daemon(Server):
    """dfsd. Nothing is compacted unless it is asked for, so that rows measure one thing each."""

    def __init__(self, programs, directory, mode, **settings):
        self.path = os.path.join(directory, "store.db")
        settings = {"durability": mode, "memory-limit": "20G", "compaction-interval": "1h",
                    "feed-retention": "1ms", **settings}
        options = [f"--{name}={value}" for name, value in settings.items()]
        super().__init__([programs.dfsd, *options, self.path], os.path.join(directory, "dfsd.log"))
        self.start()

    def start(self):
        """Returns when it serves: the seconds that took."""
        begin = time.monotonic()
        reader, writer = os.pipe()
        command = self.command
        self.command = command[:1] + [f"--ready-fd={writer}"] + command[1:]
        try:
            self.spawn(pass_fds=(writer,))
        finally:
            self.command = command
            os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            said = pipe.read()
        if not said.startswith(b"ok"):
            raise RuntimeError(f"dfsd: {said.decode()}")
        return time.monotonic() - begin


class Redis(Server):
    """redis-server on a Unix socket: everything in the append-only file, no other dumps. Its AOF is
    rewritten only where a row is about that."""

    def __init__(self, programs, directory, mode, **settings):
        # The path of a socket is short by law, that of a directory need not be.
        self.path = os.path.join(programs.sockets, f"redis-{os.path.basename(directory)}")
        settings = {"port": "0", "unixsocket": self.path, "dir": directory, "save": "",
                    "appendonly": "yes", "appendfsync": "always" if mode == "durable" else "everysec",
                    "auto-aof-rewrite-percentage": "0", "daemonize": "no", **settings}
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        super().__init__([programs.redis_server, *options], os.path.join(directory, "redis.log"))
        self.start()

    def start(self):
        """Returns when it serves: the seconds that took."""
        begin = time.monotonic()
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.spawn()
        while not self.ask("PING").startswith(b"+PONG"):
            if self.child.poll() is not None:
                raise RuntimeError("redis-server ended; see its log")
            time.sleep(0.001)
        return time.monotonic() - begin

    def ask(self, *words):
        """The answer to a command, as it comes; nothing where nobody listens yet."""
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(self.path)
                text = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
                connection.sendall(f"*{len(words)}\r\n{text}".encode())
                return connection.recv(65536)
            except OSError:
                return b""

    def rewrite(self):
        """Has the append-only file written anew, and waits for that."""
        self.ask("BGREWRITEAOF")
        while True:
            said = self.ask("INFO", "persistence")
            if b"rewrite_in_progress:0" in said and b"rewrite_scheduled:0" in said:
                return
            time.sleep(0.01)


def redis_command(programs):
    return shutil.which("redis-cli") or programs.redis_server.replace("redis-server", "redis-cli")


class Worker:
    """A process of the suite with one peer open."""

    def __init__(self, programs, peer, path, mode, prefix=()):
        self.child = subprocess.Popen([*prefix, programs.bench, peer, path, mode], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.child.pid
        self.expect("open")

    def expect(self, word):
        line = self.child.stdout.readline().strip()
        if line != word:
            raise RuntimeError(f"{' '.join(self.child.args)}: not {word} but {line or 'its end'}")

    def prepare(self, order):
        """Sends an order; False where the peer has no such thing. Returns when it can begin."""
        self.child.stdin.write(order + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline().strip()
        if line != "ready" and not line.startswith('{"unsupported"'):
            raise RuntimeError(f"{' '.join(self.child.args)}: {order}: {line or 'it ended'}")
        return line == "ready"

    def begin(self):
        self.child.stdin.write("go\n")
        self.child.stdin.flush()

    def answer(self):
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.child.args)}: it ended")
        return json.loads(line)

    def do(self, order):
        """The answer to an order; None where the peer has no such thing."""
        if not self.prepare(order):
            return None
        self.begin()
        answer = self.answer()
        return None if "unsupported" in answer else answer

    def stop(self):
        self.child.stdin.close()
        self.child.wait()


def do_together(workers, orders):
    """Has several workers begin at one moment; their answers."""
    for worker, order in zip(workers, orders):
        worker.child.stdin.write(order + "\n")
        worker.child.stdin.flush()
    for worker in workers:
        worker.expect("ready")
    for worker in workers:
        worker.begin()
    return [worker.answer() for worker in workers]
