"""The machine we are on, from the files and the library that tell of it."""

import pytest

from knowledge.fit import Gpu
from tools import hardware

FREE = 2**62


def write(root, **files):
    for path, content in files.items():
        target = root / path.replace("__", "/").replace("DOT", ".")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_this_machine():
    found = hardware.machine()
    assert 0.1 < found.ram_gb < 100_000
    assert found.ram_gb == pytest.approx(hardware.memory_limit_bytes() / 1e9, abs=0.06)
    assert hardware.this_machine().gpus == tuple(gpu.name for gpu in found.gpus)


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"proc__self__cgroup": "0::/a/b\n", "sys__fs__cgroup__a__b__memoryDOTmax": "1000000\n"}, 1_000_000),
        # the limit of a group around ours counts too
        (
            {
                "proc__self__cgroup": "0::/a/b\n",
                "sys__fs__cgroup__a__b__memoryDOTmax": "max\n",
                "sys__fs__cgroup__a__memoryDOTmax": "2000000\n",
            },
            2_000_000,
        ),
        ({"sys__fs__cgroup__memoryDOTmax": "3000000"}, 3_000_000),
        (
            {
                "proc__self__cgroup": "12:cpu,memory:/docker/x\n1:name=systemd:/\n",
                "sys__fs__cgroup__memory__docker__x__memoryDOTlimit_in_bytes": "4000000\n",
            },
            4_000_000,
        ),
        # a container that sees the path of its host, and its own files at the top
        (
            {
                "proc__self__cgroup": "9:memory:/docker/of-the-host\n",
                "sys__fs__cgroup__memory__memoryDOTlimit_in_bytes": "5000000\n",
            },
            5_000_000,
        ),
    ],
    ids=["v2", "v2 around", "v2 at the top", "v1", "v1 at the top"],
)
def test_the_limit_of_a_container_counts(tmp_path, files, limit):
    write(tmp_path, **files)
    assert hardware.memory_limit_bytes(tmp_path) == limit


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc__self__cgroup": "0::/a\n", "sys__fs__cgroup__a__memoryDOTmax": "max"},
        {"proc__self__cgroup": "9:memory:/\n", "sys__fs__cgroup__memory__memoryDOTlimit_in_bytes": str(2**63 - 4096)},
        {"proc__self__cgroup": b"\xff\xfe:::\n::", "sys__fs__cgroup__memoryDOTmax": b"\xff"},
        {"proc__self__cgroup": "nonsense", "sys__fs__cgroup__memoryDOTmax": ""},
        {"proc__self__cgroup": "0::/../../etc\n", "etc__memoryDOTmax": "7"},
        {"sys__fs__cgroup__memoryDOTmax": "0"},
        {"sys__fs__cgroup__memoryDOTmax": "-1"},
    ],
    ids=["none", "max", "v1 unlimited", "bytes", "nonsense", "outside", "zero", "negative"],
)
def test_no_limit_is_the_whole_machine(tmp_path, files):
    import psutil

    write(tmp_path, **files)
    assert hardware.memory_limit_bytes(tmp_path) == psutil.virtual_memory().total


class Library:
    """Stands for `pynvml` on a machine whose cards are `cards`: the real one needs a driver."""

    NVML_DEVICE_MIG_ENABLE = 1

    class NVMLError(Exception):
        pass

    class Memory:
        def __init__(self, total, free):
            self.total, self.free = total, free

    def __init__(self, *cards, broken=False):
        self.cards, self.broken, self.open = cards, broken, 0

    def nvmlInit(self):
        if self.broken:
            raise self.NVMLError("Driver Not Loaded")
        self.open += 1

    def nvmlShutdown(self):
        self.open -= 1

    def nvmlDeviceGetCount(self):
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, i):
        return self.cards[i]

    def nvmlDeviceGetName(self, card):
        return card["name"]

    def nvmlDeviceGetMemoryInfo(self, card):
        if "memory" not in card:
            raise self.NVMLError("GPU is lost")
        return self.Memory(*card["memory"])

    def nvmlDeviceGetMigMode(self, card):
        if "mig" not in card:
            raise self.NVMLError("Not Supported")
        return card["mig"], card["mig"]

    def nvmlDeviceGetMaxMigDeviceCount(self, card):
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, card, i):
        if i not in card.get("slices", {}):
            raise self.NVMLError("Not Found")
        return card["slices"][i]


L4 = {"name": b"NVIDIA L4", "memory": (24_152_899_584, 20_000_000_000)}
SLICE = {"name": "NVIDIA H100 MIG 1g.10gb", "memory": (10_200_547_328, 10_000_000_000)}
H100 = {"name": "NVIDIA H100", "memory": (85_520_809_984, 85_000_000_000), "mig": 0}


def test_gpus_with_total_and_free_memory():
    library = Library(L4, H100)
    assert hardware.read_gpus(library) == (
        Gpu(name="NVIDIA L4", memory_gb=24.2, free_gb=20.0),
        Gpu(name="NVIDIA H100", memory_gb=85.5, free_gb=85.0),
    )
    assert library.open == 0


def test_a_divided_gpu_is_its_slices():
    divided = H100 | {"mig": 1, "slices": {0: SLICE, 3: SLICE}}
    slice_ = Gpu(name="NVIDIA H100 MIG 1g.10gb", memory_gb=10.2, free_gb=10.0)
    assert hardware.read_gpus(Library(divided)) == (slice_, slice_)
    assert hardware.read_gpus(Library(H100 | {"mig": 1})) == ()


def test_without_a_driver_or_with_a_broken_card():
    assert hardware.read_gpus(Library(broken=True)) == ()
    assert hardware.read_gpus(Library()) == ()
    lost = {"name": "NVIDIA L4"}
    assert [gpu.name for gpu in hardware.read_gpus(Library(lost, L4))] == ["NVIDIA L4"]
    assert hardware.read_gpus(Library({"name": "none", "memory": (0, 0)})) == ()


def test_the_real_library_never_fails():
    assert isinstance(hardware.gpus(), tuple)
