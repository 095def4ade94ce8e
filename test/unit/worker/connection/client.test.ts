/** Who is at the other end, as trust, logs, apps and observers are told it. */
import { describe, expect, test } from "bun:test";
import type { ClientAddress } from "../../../../src/app/server.ts";
import type { TlsFacts } from "../../../../src/api/request-record.ts";
import type { PeerCertificate } from "../../../../src/api/worker-server.ts";
import type { ConfigData } from "../../../../src/config/types.ts";
import { EngineRecord } from "../../../../src/worker/records/engine-record.ts";
import { Client, type Foregoing } from "../../../../src/worker/connection/client.ts";
import { settingsOf } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const peer: ClientAddress = { address: "192.0.2.7", family: "IPv4", port: 4321 };
const behind: ClientAddress = { address: "198.51.100.9", family: "IPv4", port: 5678 };
const nowhere: ClientAddress = { address: "", family: "IPv4", port: 0 };
const line = "PROXY TCP4 198.51.100.9 203.0.113.1 5678 80\r\n";
const proxied = { proxyProtocol: "auto", proxyAllowIps: ["*"] } satisfies Partial<ConfigData>;
const tls: TlsFacts = { version: "TLSv1.3", cipher: "TLS_X", clientSubject: null };

interface Made {
  readonly wire?: FakeWire;
  readonly config?: Partial<ConfigData>;
  readonly observed?: boolean;
  /** Its listening socket is one. */
  readonly unix?: boolean;
  readonly foregoing?: Foregoing;
  /** The first bytes. */
  readonly first?: string;
}

function clientOf(made: Made): Client {
  const { wire = new FakeWire(), config = {}, observed = true, foregoing, first } = made;
  const { unix = false } = made;
  const records = observed ? new EngineRecord([]) : null;
  const client = new Client(wire, settingsOf(config), { records, unix }, foregoing);
  if (first !== undefined) client.read(Buffer.from(first));
  return client;
}

const onUnix = (): Made => ({ wire: new FakeWire(null), unix: true });

function leftWire(): FakeWire {
  const wire = new FakeWire();
  return Object.assign(wire, { remoteAddress: undefined, remotePort: undefined, fd: -1 });
}

describe("the address", () => {
  const rows: [of: string, made: Made, address: ClientAddress | null, observers: string][] = [
    ["the socket's peer", {}, peer, peer.address],
    ["nobody on a unix socket", onUnix(), null, ""],
    ["nobody who has left unobserved", { wire: leftWire(), observed: false }, null, ""],
    ["the socket's peer, unobserved", { observed: false }, peer, ""],
    ["whom a PROXY header names", { config: proxied, first: line }, behind, behind.address],
    [
      "whom it names on a unix socket",
      { ...onUnix(), config: proxied, first: line },
      behind,
      behind.address,
    ],
    [
      "the peer where it names nobody",
      { config: proxied, first: "PROXY UNKNOWN\r\n" },
      peer,
      peer.address,
    ],
    [
      "whom one in front of TLS has named",
      { config: proxied, foregoing: { tls, named: behind } },
      behind,
      behind.address,
    ],
    [
      "the peer where that one has named nobody",
      { config: proxied, foregoing: { tls, named: null } },
      peer,
      peer.address,
    ],
  ];
  test.each(rows)("is that of %s", (_of, made, address, observers) => {
    const client = clientOf(made);
    expect(client.address).toEqual(address);
    expect(client.shown).toEqual(address ?? nowhere);
    expect(client.clientAddress).toBe(observers);
  });

  test("is known to observers when the client has left", () => {
    const wire = new FakeWire();
    const client = clientOf({ wire });
    Object.assign(wire, { remoteAddress: undefined, remotePort: undefined });
    expect([client.address, client.clientAddress]).toEqual([null, peer.address]);
  });
});

describe("the server's end", () => {
  const local: ClientAddress = { address: "192.0.2.1", family: "IPv4", port: 80 };
  const at = { localAddress: local.address, localFamily: local.family, localPort: local.port };
  const rows: [of: string, wire: FakeWire, address: ClientAddress | null][] = [
    ["is where the client has connected to", Object.assign(new FakeWire(), at), local],
    ["has no address on a unix socket", new FakeWire(null), null],
    [
      "has none without a port",
      Object.assign(new FakeWire(), { ...at, localPort: undefined }),
      null,
    ],
  ];
  test.each(rows)("%s", (_of, wire, address) => {
    expect(clientOf({ wire }).localAddress).toEqual(address);
  });
});

describe("trust", () => {
  const rows: [who: string, made: Made, allowed: string[], trusted: boolean][] = [
    ["an address that is listed", {}, ["192.0.2.7"], true],
    ["an address in a network that is listed", {}, ["192.0.2.0/24"], true],
    ["another address", {}, ["192.0.2.8"], false],
    ["anybody", {}, ["*"], true],
    ["whoever is on a unix socket", onUnix(), ["192.0.2.8"], true],
    ["who has left by a reset", { wire: leftWire() }, ["192.0.2.7"], false],
    ["who has left, where nobody is listed", { wire: leftWire() }, [], false],
    ["who has left, where anybody is", { wire: leftWire() }, ["*"], true],
  ];
  test.each(rows)("%s", (_who, made, allowed, trusted) => {
    const config = { forwardedAllowIps: allowed };
    expect(clientOf({ ...made, config }).trusted).toBe(trusted);
  });

  test("in what a PROXY header says isn't in who has left by a reset", () => {
    const config = { proxyProtocol: "auto", proxyAllowIps: ["192.0.2.7"] } as const;
    expect(clientOf({ wire: leftWire(), config, first: line }).address).toBeNull();
    expect(clientOf({ ...onUnix(), config, first: line }).address).toEqual(behind);
  });

  test("is in the proxy, and not in whom its header names", () => {
    const config = { ...proxied, forwardedAllowIps: [behind.address] };
    expect(clientOf({ config, first: line }).trusted).toBe(false);
  });
});

describe("the certificate", () => {
  const certificate = { subject: { CN: "client" } } as unknown as PeerCertificate;
  const shown: TlsFacts = { ...tls, clientSubject: "CN=client" };
  const secure = (fd: number, found: PeerCertificate | undefined): FakeWire =>
    Object.assign(new FakeWire(), { fd, getPeerCertificate: () => found });
  const rows: [of: string, wire: FakeWire, tls: TlsFacts | null, got: PeerCertificate | null][] = [
    ["is what the client has shown", secure(7, certificate), shown, certificate],
    ["isn't there without TLS", secure(7, certificate), null, null],
    ["isn't there where the client has shown none", secure(7, certificate), tls, null],
    ["isn't there when the client has left", secure(-1, certificate), shown, null],
    ["isn't there when Bun doesn't have it any more", secure(7, undefined), shown, null],
  ];
  test.each(rows)("%s", (_of, wire, facts, got) => {
    const foregoing = facts === null ? {} : { foregoing: { tls: facts, named: null } };
    const client = clientOf({ wire, ...foregoing });
    expect([client.peerCertificate, client.tls]).toEqual([got, facts]);
  });
});

describe("a PROXY header", () => {
  const rows: [claim: string, made: Made, unread: boolean][] = [
    ["isn't looked for by default", {}, false],
    ["is looked for with proxy_protocol", { config: proxied }, true],
    ["isn't looked for behind TLS", { config: proxied, foregoing: { tls, named: null } }, false],
    ["isn't looked for once it was read", { config: proxied, first: line }, false],
    ["is still looked for when half of it has come", { config: proxied, first: "PROX" }, true],
    ["isn't looked for where something else comes", { config: proxied, first: "GET " }, false],
  ];
  test.each(rows)("%s", (_claim, made, unread) => {
    expect(clientOf(made).unread).toBe(unread);
  });

  const pieces: [claim: string, first: string[], read: string | string[]][] = [
    ["leaves what follows it", [`${line}GET /`], ["GET /"]],
    ["comes in pieces", ["PROXY TCP4 198.51.100.9 ", "203.0.113.1 5678 80\r\nGET"], ["GET"]],
    ["gives back what only looked like it", ["PR", "OPFIND / "], ["PR", "OPFIND / "]],
    ["is waited for", ["PROXY "], "need more"],
    ["can be wrong", ["PROXY TCP4 nobody\r\n"], "bad proxy line"],
  ];
  test.each(pieces)("%s", (_claim, first, read) => {
    const client = clientOf({ config: proxied });
    const steps = first.map((text) => client.read(Buffer.from(text)));
    const step = steps.at(-1);
    expect<unknown>(typeof step === "string" ? step : step?.map(String)).toEqual(read);
  });
});
