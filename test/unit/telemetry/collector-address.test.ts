import { describe, expect, test } from "bun:test";
import { PeerAddress } from "../../../src/telemetry/collector-address.ts";

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

  peer(host: string): PeerAddress {
    return new PeerAddress({ host, port: 8125 }, (text) => void this.told.push(text), this.lookup);
  }
}

/** What get() answers once the look-up that it has begun is over. */
async function hostAfter(peer: PeerAddress, nowMs: number): Promise<string | null> {
  peer.get(nowMs);
  await Bun.sleep(0);
  return peer.get(nowMs)?.hostname ?? null;
}

describe("an address that needs no look-up", () => {
  test.each([
    ["10.0.0.1", { family: 4, hostname: "10.0.0.1" }],
    ["fe80::1%eth0", { family: 6, hostname: "fe80::1%eth0" }],
    ["localhost", { family: 4, hostname: "127.0.0.1" }],
  ] as const)("%s is known at once", (host, name) => {
    const names = new Names();
    const peer = names.peer(host);
    expect(peer.get(0)).toEqual({ type: "tcp", port: 8125, ...name });
    peer.get(1e9);
    expect(names.asked).toBe(0);
  });

  test("localhost is ::1 when 127.0.0.1 doesn't answer, and then 127.0.0.1 again", () => {
    const peer = new Names().peer("localhost");
    const hosts = [0, 1, 2].map((nowMs) => {
      const name = peer.get(nowMs);
      peer.skip();
      return name?.hostname;
    });
    expect(hosts).toEqual(["127.0.0.1", "::1", "127.0.0.1"]);
  });
});

describe("a name", () => {
  test("is looked up in the background, v4 before v6", async () => {
    const names = new Names();
    names.answer = [v6("2001:db8::1"), v4("10.0.0.1")];
    const peer = names.peer("collector");
    expect(peer.get(0)).toBeNull();
    expect(peer.get(0)).toBeNull();
    expect(names.asked).toBe(1);
    await Bun.sleep(0);
    expect(peer.get(0)).toEqual({ type: "tcp", family: 4, hostname: "10.0.0.1", port: 8125 });
    peer.skip();
    expect(peer.get(0)?.family).toBe(6);
  });

  test("is looked up again after a minute, and stays the same object if nothing has changed", async () => {
    const names = new Names();
    names.answer = [v4("10.0.0.1")];
    const peer = names.peer("collector");
    await hostAfter(peer, 0);
    const first = peer.get(59_999);
    expect(names.asked).toBe(1);
    expect(await hostAfter(peer, 60_000)).toBe("10.0.0.1");
    expect(names.asked).toBe(2);
    expect(peer.get(60_000)).toBe(first as never);
    names.answer = [v4("10.0.0.2")];
    expect(await hostAfter(peer, 120_000)).toBe("10.0.0.2");
  });

  test("that isn't found is told once, and tried again after 30 s", async () => {
    const names = new Names();
    names.answer = null;
    const peer = names.peer("collector");
    expect(await hostAfter(peer, 0)).toBeNull();
    expect(await hostAfter(peer, 29_999)).toBeNull();
    expect(names.asked).toBe(1);
    expect(await hostAfter(peer, 30_000)).toBeNull();
    expect(names.asked).toBe(2);
    expect(names.told).toEqual(["Can't look up collector (no collector): trying again every 30 s"]);
    names.answer = [v4("10.0.0.1")];
    expect(await hostAfter(peer, 60_000)).toBe("10.0.0.1");
  });

  test("keeps its address while it can't be looked up, and nothing is told", async () => {
    const names = new Names();
    names.answer = [v4("10.0.0.1")];
    const peer = names.peer("collector");
    await hostAfter(peer, 0);
    names.answer = null;
    expect(await hostAfter(peer, 60_000)).toBe("10.0.0.1");
    expect(names.told).toEqual([]);
  });
});
