import { describe, expect, test } from "bun:test";
import {
  countFreeMemory,
  freeMemoryBytes,
  idleCpuSeconds,
} from "../../../../src/os/processes/machine.ts";

const meminfo = "MemTotal:       2000 kB\nMemFree:  10 kB\nMemAvailable:       1000 kB\n";
const v2 = "/sys/fs/cgroup/web";
const v1 = "/sys/fs/cgroup/memory";

describe("countFreeMemory()", () => {
  const rows: [what: string, files: Record<string, string>, bytes: number | null][] = [
    ["nothing is known without /proc", {}, null],
    ["the machine's", { "/proc/meminfo": meminfo }, 1_024_000],
    [
      "what the cgroup leaves, if that is less",
      {
        "/proc/meminfo": meminfo,
        "/proc/self/cgroup": "0::/web\n",
        [`${v2}/memory.max`]: "600000\n",
        [`${v2}/memory.current`]: "500000\n",
        [`${v2}/memory.stat`]: "anon 1\ninactive_file 30000\nactive_file 5\n",
      },
      130_000,
    ],
    [
      "the machine's, where the cgroup has no limit",
      {
        "/proc/meminfo": meminfo,
        "/proc/self/cgroup": "0::/web\n",
        [`${v2}/memory.max`]: "max\n",
        [`${v2}/memory.current`]: "500000\n",
      },
      1_024_000,
    ],
    [
      "that of cgroup v1, of the folder above too",
      {
        "/proc/self/cgroup": "4:cpu:/a\n3:memory:/a\n",
        [`${v1}/memory.limit_in_bytes`]: "700000\n",
        [`${v1}/memory.usage_in_bytes`]: "100000\n",
        [`${v1}/a/memory.limit_in_bytes`]: "9223372036854771712\n",
        [`${v1}/a/memory.usage_in_bytes`]: "100000\n",
      },
      600_000,
    ],
    [
      "none, where more is used than the limit",
      {
        "/proc/self/cgroup": "0::/web\n",
        [`${v2}/memory.max`]: "600000\n",
        [`${v2}/memory.current`]: "700000\n",
      },
      0,
    ],
  ];
  test.each(rows)("%s", (_what, files, bytes) => {
    expect(countFreeMemory((path) => files[path] ?? null)).toBe(bytes);
  });
});

test("this machine says something", () => {
  expect(idleCpuSeconds()).toBeGreaterThan(0);
  expect(freeMemoryBytes()).toBeGreaterThan(0);
});
