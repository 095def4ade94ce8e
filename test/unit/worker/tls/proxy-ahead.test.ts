/** The owner of a socket until the PROXY header in front of TLS has come. */
import { expect, test } from "bun:test";
import { ProxyAhead } from "../../../../src/worker/tls/proxy-ahead.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const probe = { unsentBytes: () => -1, peerHasEnded: () => false, unreadBytes: () => -1 };
const others = { bodyTicks: 0, writeTicks: 0, graceTicks: 0, probe };
const deadlines = { headTicks: 9, keepAliveTicks: 3, lingerTicks: 2, ...others };

function begin(allowed = true, address: string | null = "192.0.2.7") {
  const wire = new FakeWire(address);
  const lines: string[] = [];
  const read: string[] = [];
  const settings = { deadlines, proxyMode: "auto", mayProxy: () => allowed } as const;
  const log = {
    debug: (line: string) => void lines.push(`debug: ${line}`),
    warning: (line: string) => void lines.push(`warning: ${line}`),
  };
  const ahead = new ProxyAhead(
    wire,
    settings,
    false,
    log,
    (rest) => void read.push(rest.toString()),
  );
  wire.owner = ahead;
  return { wire, ahead, lines, read };
}

const header = "PROXY TCP4 192.0.2.9 198.51.100.7 4321 443\r\n";

test.each([1, 7, 1000])("ProxyAhead reads a header in pieces of %i bytes", (size) => {
  const { wire, ahead, read } = begin();
  wire.send(`${header}`, size);
  wire.send("\x16hello");
  // What comes behind the first piece isn't its business.
  expect([read.join(""), ahead.named?.address]).toEqual(["", "192.0.2.9"]);
});

test("ProxyAhead hands on what has come behind the header, or instead of it", () => {
  const behind = begin();
  behind.wire.send(`${header}\x16hello`);
  const instead = begin();
  instead.wire.send("PRO");
  instead.wire.send("\x16hello");
  expect([behind.read, behind.ahead.named?.port]).toEqual([["\x16hello"], 4321]);
  expect([instead.read, instead.ahead.named]).toEqual([["PRO\x16hello"], null]);
});

test.each<[string, boolean, (begun: ReturnType<typeof begin>) => void, string]>([
  ["a stranger", false, ({ wire }) => wire.send(header), "warning: Invalid request from ip="],
  ["a wrong header", true, ({ wire }) => wire.send("PROXY X\r\n"), "warning: Invalid request from"],
  ["a client that leaves", true, ({ wire }) => wire.fin(), "debug: Closing ip=192.0.2.7: PROXY"],
  [
    "a silent client",
    true,
    ({ ahead }) => {
      for (let tick = 0; tick < 9; tick++) ahead.tick();
    },
    "debug: Closing ip=192.0.2.7: PROXY header: header_timeout",
  ],
  [
    "a silent client, when the worker leaves",
    true,
    ({ ahead }) => {
      ahead.drain();
      for (let tick = 0; tick < 3; tick++) ahead.tick();
    },
    "debug: Closing ip=192.0.2.7: PROXY header: keepalive",
  ],
])("ProxyAhead ends with %s", (_name, allowed, happens, line) => {
  const begun = begin(allowed);
  happens(begun);
  expect([begun.wire.did, begun.read, begun.lines.length]).toEqual([["end"], [], 1]);
  expect(begun.lines[0]).toStartWith(line);
});

test("ProxyAhead warns of no header whose client had left before it was accepted", () => {
  const { wire, lines } = begin(false, null);
  wire.send(header);
  expect(lines).toEqual(["debug: Closing ip=: PROXY header: the client had left"]);
  expect(wire.closed).toBe(true);
});
