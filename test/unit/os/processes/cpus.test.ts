import { describe, expect, test } from "bun:test";
import {
  availableCpus,
  cgroupFolders,
  countCpus,
  parseCpuMax,
} from "../../../../src/os/processes/cpus.ts";

const v2 = "0::/system.slice/web.service\n";
const v1 = "12:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n1:name=systemd:/docker/1\n";

describe("countCpus()", () => {
  const rows: [claim: string, allowed: number, files: Record<string, string>, expected: number][] =
    [
      ["takes the affinity mask where there are no cgroups", 4, {}, 4],
      [
        "takes the quota of cgroup v2",
        8,
        {
          "/proc/self/cgroup": v2,
          "/sys/fs/cgroup/system.slice/web.service/cpu.max": "200000 100000\n",
        },
        2,
      ],
      [
        "rounds a fraction up",
        8,
        {
          "/proc/self/cgroup": v2,
          "/sys/fs/cgroup/system.slice/web.service/cpu.max": "150000 100000\n",
        },
        2,
      ],
      [
        "is at least 1",
        8,
        { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "10000 100000" },
        1,
      ],
      [
        "takes the tightest limit on the way up",
        8,
        {
          "/proc/self/cgroup": v2,
          "/sys/fs/cgroup/system.slice/web.service/cpu.max": "400000 100000\n",
          "/sys/fs/cgroup/system.slice/cpu.max": "300000 100000\n",
          "/sys/fs/cgroup/cpu.max": "max 100000\n",
        },
        3,
      ],
      [
        "takes the quota of cgroup v1",
        8,
        {
          "/proc/self/cgroup": v1,
          "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": "250000\n",
          "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us": "100000\n",
        },
        3,
      ],
      [
        "takes the tightest limit on the way up, cgroup v1 too",
        8,
        {
          "/proc/self/cgroup": v1,
          "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": "-1\n",
          "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us": "100000\n",
          "/sys/fs/cgroup/cpu/docker/cpu.cfs_quota_us": "100000\n",
          "/sys/fs/cgroup/cpu/docker/cpu.cfs_period_us": "50000\n",
        },
        2,
      ],
      [
        "sees a container's own group at the root of the mount, cgroup v2",
        8,
        { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "300000 100000\n" },
        3,
      ],
      [
        "finds the cpu controller in a mixture of versions",
        8,
        {
          "/proc/self/cgroup": `${v1}0::/docker/1\n`,
          "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": "200000\n",
          "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us": "100000\n",
        },
        2,
      ],
      [
        "ignores a group outside of its own namespace",
        8,
        { "/proc/self/cgroup": "0::/../other\n", "/sys/fs/cgroup/cpu.max": "max 100000\n" },
        8,
      ],
      [
        "sees a container's own group at the root of the mount",
        8,
        {
          "/proc/self/cgroup": v1,
          "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n",
          "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        1,
      ],
      [
        "knows that a quota of -1 is none",
        8,
        {
          "/proc/self/cgroup": v1,
          "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": "-1\n",
          "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us": "100000\n",
        },
        8,
      ],
      [
        "never exceeds the affinity mask",
        2,
        { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "800000 100000" },
        2,
      ],
    ];
  test.each(rows)("%s", (_claim, allowed, files, expected) => {
    expect(countCpus(allowed, (path) => files[path] ?? null)).toBe(expected);
  });
});

test("cgroupFolders() lists the group first and the root last", () => {
  expect(cgroupFolders("0::/a/b\n").map(({ folder }) => folder)).toEqual([
    "/sys/fs/cgroup/a/b",
    "/sys/fs/cgroup/a",
    "/sys/fs/cgroup",
  ]);
});

test("parseCpuMax() reads no limit out of anything unexpected", () => {
  for (const text of ["", "max", "max 100000", "x y", "0 100000"])
    expect(parseCpuMax(text)).toBe(Number.POSITIVE_INFINITY);
});

test("availableCpus() is a whole number of at least 1", () => {
  expect(availableCpus()).toBeGreaterThanOrEqual(1);
  expect(Number.isInteger(availableCpus())).toBe(true);
});
