/** What a turn makes of a load generator's report and of /proc. */
import { expect, test } from "bun:test";
import type { Peer } from "../../../bench/compare/peer.ts";
import { type Contest, runRounds } from "../../../bench/compare/rounds.ts";
import {
  type Driver,
  failedShare,
  noErrors,
  plainTraffic,
  type Turn,
} from "../../../bench/drivers/driver.ts";
import { BenchError, NoAnswerError } from "../../../bench/errors.ts";
import { loads } from "../../../bench/loads/loads.ts";
import { measureTurn, warmUp, warmUpBefore } from "../../../bench/measure.ts";
import { childrenOf, cpuNsOf, treeOf } from "../../../bench/process-tree.ts";
import { Facilities } from "../../../bench/servers/facilities.ts";
import { freePort } from "../../../bench/free-port.ts";
import { BenchServer } from "../../../bench/servers/server.ts";
import { probeLatency } from "../../../bench/tune/probe.ts";
import { until } from "../../support/server.ts";

const turn: Turn = {
  requests: 1000,
  durationUs: 2_000_000,
  p50Us: 1,
  p99Us: 2,
  errors: { ...noErrors, status: 400, read: 5 },
  driverBusy: 0,
  generatorCpuUs: 0,
};

function driverThat(run: Driver["run"]): Driver {
  return { name: "fake", detect: () => "1", refuses: () => null, run };
}

const server = { url: "http://127.0.0.1:1/", pid: process.pid };

test("only good answers are throughput", async () => {
  const driver = driverThat(() => Promise.resolve(turn));
  const measured = await measureTurn(driver, server, plainTraffic, 1);
  expect(measured.requestsPerSecond).toBe(300);
  expect(measured.cpusUsed ?? 0).toBeGreaterThanOrEqual(0);
});

test("failedShare() counts a bad status once, and silence as failure", () => {
  expect(failedShare([turn])).toBeCloseTo(405 / 1005);
  expect(failedShare([{ requests: 0, errors: noErrors }])).toBe(1);
});

const ends: [error: Error, thrown: boolean][] = [
  [new NoAnswerError("no answer"), false],
  [new BenchError("wrk's output can't be read"), true],
];
test.each(ends)("warmUp() with %p", async (error, thrown) => {
  const done = warmUp(
    driverThat(() => Promise.reject(error)),
    server,
    plainTraffic,
    1,
  );
  if (thrown) expect(done).rejects.toThrow(error.message);
  else expect(await done).toBe(0);
});

test.each<[requests: number, seconds: number, lengths: number[]]>([
  [30_000, 1, [3]],
  [10_000, 1, [3, 3, 3]],
  [10, 2, [3, 3, 3, 3, 3]],
  [10, 0.1, [0.3]],
])(
  "warmUpBefore(): %p requests a turn, before turns of %p s",
  async (requests, seconds, lengths) => {
    const driven: number[] = [];
    const driver = driverThat((_url, _traffic, length) => {
      driven.push(Math.round(length * 10) / 10);
      return Promise.resolve({ ...turn, requests });
    });
    await warmUpBefore(driver, server, plainTraffic, seconds);
    expect(driven).toEqual(lengths);
  },
);

test("a process that was reaped keeps its CPU time in the sum, and a child's child is no child", async () => {
  // The second command keeps sh from replacing itself by the first.
  const busy = "i=0; (while [ $i -lt 200000 ]; do i=$((i+1)); done); (sh -c 'read x; :'; :); :";
  const root = Bun.spawn(["sh", "-c", busy], { stdio: ["pipe", "ignore", "ignore"] });
  try {
    await until("the second command", () => treeOf(root.pid).length >= 3);
    expect(childrenOf(root.pid)).toHaveLength(1);
    expect(cpuNsOf(root.pid)).toBeGreaterThan(2e7);
  } finally {
    root.stdin.end();
    await root.exited;
  }
});

test("a server that fails under load costs the others nothing", async () => {
  const ports: number[] = [];
  const peer = (name: string): Peer => ({
    name,
    version: () => "1",
    install: "",
    command: ({ port }) => {
      ports.push(port);
      const script = `Bun.serve({ port: ${port}, fetch: () => new Response("") })`;
      return { command: [process.execPath, "-e", script] };
    },
  });
  const driver = driverThat((url) =>
    new URL(url).port === String(ports[1])
      ? Promise.reject(new NoAnswerError("it got no answer:\nmore"))
      : Promise.resolve(turn),
  );
  const contest: Contest = { load: loads[0]!, competitors: [], absent: [] };
  await using facilities = await Facilities.open();
  const peers = [peer("one"), peer("two"), peer("three")];
  const settings = { workers: 1, rounds: 2, seconds: 1, facilities, onTurn() {} };
  await runRounds({ ...settings, driver, peers }, contest);
  const turns = contest.competitors.map(({ name, turns: all }) => [name, all.length]);
  expect(turns).toEqual([
    ["one", 2],
    ["three", 2],
  ]);
  expect(contest.absent).toEqual([{ name: "two", why: "fails under load: it got no answer" }]);
}, 20_000);

test("a server that accepts and never answers is an error, and a probe of it ends", async () => {
  const port = freePort();
  const script = `Bun.listen({ hostname: "127.0.0.1", port: ${port}, socket: { data() {} } })`;
  await using silent = new BenchServer({ command: [process.execPath, "-e", script], port });
  await expect(silent.answered("/", 1500)).rejects.toThrow(BenchError);
  expect(await probeLatency(silent.url, { ...plainTraffic, connections: 2 })).toBe(5);
}, 20_000);
