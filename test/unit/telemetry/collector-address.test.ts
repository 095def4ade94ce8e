import { describe, expect, test } from "bun:test";
import { CollectorAddress } from "../../../src/telemetry/collector-address.ts";

interface Found {
  readonly address: string;
  readonly family: number;
}

const v4 = (address: string): Found => ({ address, family: 4 });
const v6 = (address: string): Found => ({ address, family: 6 });

/** A name server whose answers a test sets. */
class Names {
  asked = 0;
  answer: readonly Found[] | null = [];
  readonly told: string[] = [];

  readonly lookup = async (host: string): Promise<readonly Found[]> => {
    this.asked += 1;
    if (this.answer === null) throw new Error(`no ${host}`);
    return this.answer;
  };

  collector(host: string): CollectorAddress {
    return new CollectorAddress(
      { host, port: 8125 },
      (text) => void this.told.push(text),
      this.lookup,
    );
  }
}

/** What get() answers once the look-up that it has begun is over. */
async function hostAfter(collector: CollectorAddress, nowMs: number): Promise<string | null> {
  collector.get(nowMs);
  await Bun.sleep(0);
  return collector.get(nowMs)?.hostname ?? null;
}

describe("an address that needs no look-up", () => {
  test.each([
    ["10.0.0.1", { family: 4, hostname: "10.0.0.1" }],
    ["fe80::1%eth0", { family: 6, hostname: "fe80::1%eth0" }],
    ["localhost", { family: 4, hostname: "127.0.0.1" }],
  ] as const)("%s is known at once", (host, name) => {
    const names = new Names();
    const collector = names.collector(host);
    expect(collector.get(0)).toEqual({ type: "tcp", port: 8125, ...name });
    collector.get(1e9);
    expect(names.asked).toBe(0);
  });

  test("localhost is ::1 when 127.0.0.1 doesn't answer, and then 127.0.0.1 again", () => {
    const collector = new Names().collector("localhost");
    const hosts = [0, 1, 2].map((nowMs) => {
      const name = collector.get(nowMs);
      collector.skip();
      return name?.hostname;
    });
    expect(hosts).toEqual(["127.0.0.1", "::1", "127.0.0.1"]);
  });
});

describe("a name", () => {
  test("is looked up in the background, v4 before v6", async () => {
    const names = new Names();
    names.answer = [v6("2001:db8::1"), v4("10.0.0.1")];
    const collector = names.collector("collector");
    expect(collector.get(0)).toBeNull();
    expect(collector.get(0)).toBeNull();
    expect(names.asked).toBe(1);
    await Bun.sleep(0);
    expect(collector.get(0)).toEqual({ type: "tcp", family: 4, hostname: "10.0.0.1", port: 8125 });
    collector.skip();
    expect(collector.get(0)?.family).toBe(6);
  });

  test("is looked up again after a minute, and stays the same object if nothing has changed", async () => {
    const names = new Names();
    names.answer = [v4("10.0.0.1")];
    const collector = names.collector("collector");
    await hostAfter(collector, 0);
    const first = collector.get(59_999);
    expect(names.asked).toBe(1);
    expect(await hostAfter(collector, 60_000)).toBe("10.0.0.1");
    expect(names.asked).toBe(2);
    expect(collector.get(60_000)).toBe(first as never);
    names.answer = [v4("10.0.0.2")];
    expect(await hostAfter(collector, 120_000)).toBe("10.0.0.2");
  });

  test("that isn't found is told once, and tried again after 30 s", async () => {
    const names = new Names();
    names.answer = null;
    const collector = names.collector("collector");
    expect(await hostAfter(collector, 0)).toBeNull();
    expect(await hostAfter(collector, 29_999)).toBeNull();
    expect(names.asked).toBe(1);
    expect(await hostAfter(collector, 30_000)).toBeNull();
    expect(names.asked).toBe(2);
    expect(names.told).toEqual(["Can't look up collector (no collector): trying again every 30 s"]);
    names.answer = [v4("10.0.0.1")];
    expect(await hostAfter(collector, 60_000)).toBe("10.0.0.1");
  });

  test("keeps its address while it can't be looked up, and nothing is told", async () => {
    const names = new Names();
    names.answer = [v4("10.0.0.1")];
    const collector = names.collector("collector");
    await hostAfter(collector, 0);
    names.answer = null;
    expect(await hostAfter(collector, 60_000)).toBe("10.0.0.1");
    expect(names.told).toEqual([]);
  });
});
