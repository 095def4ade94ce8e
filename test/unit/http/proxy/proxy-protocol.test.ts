import { describe, expect, test } from "bun:test";
import { errors } from "../../../../src/http/errors.ts";
import { ProxyReader } from "../../../../src/http/proxy/proxy-protocol.ts";
import type { ProxyMode } from "../../../../src/net/proxy-mode.ts";
import { run } from "../../../support/corpus.ts";
import { below, pick, seeded } from "../../../support/mutate.ts";

const request = Buffer.from("GET /behind HTTP/1.1\r\nHost: a\r\n\r\n");
const signature = "\r\n\r\n\0\r\nQUIT\n";

interface Outcome {
  readonly step: string;
  /** Where in all the bytes HTTP starts, or the refused byte stands. */
  readonly at: number;
  readonly source: string | null;
  readonly destination: string | null;
}

/** Feeds the bytes in pieces, each in the middle of a larger buffer and wiped afterwards. */
function read(mode: ProxyMode, bytes: Buffer, cuts: readonly number[], allowed = true): Outcome {
  const reader = new ProxyReader(mode, allowed);
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    const margin = 3;
    const piece = Buffer.alloc(end - start + 2 * margin, 0x2a);
    bytes.copy(piece, margin, start, end);
    const step = reader.feed(piece, margin, piece.length - margin);
    const at = start + reader.consumed - margin;
    piece.fill(0x2a);
    if (step === "need more") {
      if (at !== end) throw new Error(`need more, but ${at} of ${end}`);
      start = end;
      continue;
    }
    if (step === "plain") {
      const http = Buffer.concat([reader.kept, bytes.subarray(at)]);
      return { step, at: http.equals(bytes) ? 0 : -1, source: null, destination: null };
    }
    if (step !== "done") {
      const again = reader.feed(request, 0, request.length);
      if (again !== step) throw new Error(`${step}, then ${again}`);
    }
    return { step, at, source: show(reader.source), destination: show(reader.destination) };
  }
  return { step: "need more", at: start, source: null, destination: null };
}

function show(end: ProxyReader["source"]): string | null {
  return end === null ? null : `${end.family} ${end.address} ${end.port}`;
}

function everyOffset(length: number): number[] {
  return Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
}

/** A version 2 header: its two bytes, then a block, whose length is told as it is unless `told` says another. */
function v2(command: number, family: number, block = "", told = block.length): string {
  return signature + String.fromCharCode(command, family, told >> 8, told & 0xff) + block;
}

const ports = "\x01\x02\xff\xff";
const block4 = `\x01\x02\x03\x04\xff\x00\x00\x0a${ports}`;
const client4 = "IPv4 1.2.3.4 258";
const server4 = "IPv4 255.0.0.10 65535";
const v6a = `\x20\x01\x0d\xb8${"\0".repeat(11)}\x01`;
const v6b = `${"\0".repeat(10)}\xff\xff\x0a\x00\x00\x01`;
const block6 = v6a + v6b + ports;
const client6 = "IPv6 2001:db8::1 258";
const server6 = "IPv6 ::ffff:10.0.0.1 65535";
const tlv = "\x04\x00\x03abc";

type Route = readonly [source: string, destination: string];

const accepted: readonly (readonly [string, string, "v1" | "v2", Route?])[] = [
  [
    "TCP4",
    "PROXY TCP4 1.2.3.4 5.6.7.8 1000 443\r\n",
    "v1",
    ["IPv4 1.2.3.4 1000", "IPv4 5.6.7.8 443"],
  ],
  [
    "ports 0 and 65535",
    "PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n",
    "v1",
    ["IPv4 0.0.0.0 0", "IPv4 255.255.255.255 65535"],
  ],
  ["TCP6", "PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "v1", ["IPv6 2001:db8::1 1", "IPv6 ::1 2"]],
  [
    "TCP6 in upper case and in full",
    "PROXY TCP6 2001:0DB8:0000:0000:0000:0000:0000:0001 0:0:0:0:0:0:0:0 1 2\r\n",
    "v1",
    ["IPv6 2001:db8::1 1", "IPv6 :: 2"],
  ],
  [
    "TCP6 with mapped addresses",
    "PROXY TCP6 ::FFFF:0A00:0001 ::ffff:1.2.3.4 1 2\r\n",
    "v1",
    ["IPv6 ::ffff:10.0.0.1 1", "IPv6 ::ffff:1.2.3.4 2"],
  ],
  [
    "TCP6 with the longest addresses",
    `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}fffe 65535 65535\r\n`,
    "v1",
    [`IPv6 ${"ffff:".repeat(7)}ffff 65535`, `IPv6 ${"ffff:".repeat(7)}fffe 65535`],
  ],
  ["UNKNOWN alone", "PROXY UNKNOWN\r\n", "v1"],
  ["UNKNOWN with addresses", "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "v1"],
  ["UNKNOWN with anything", "PROXY UNKNOWN  \0\xff PROXY TCP4\r\n", "v1"],
  ["UNKNOWN in 107 bytes", `PROXY UNKNOWN ${"x".repeat(91)}\r\n`, "v1"],
  ["INET", v2(0x21, 0x11, block4), "v2", [client4, server4]],
  ["INET with a TLV", v2(0x21, 0x11, block4 + tlv), "v2", [client4, server4]],
  ["INET with what isn't a TLV", v2(0x21, 0x11, `${block4}\xff`), "v2", [client4, server4]],
  ["INET6", v2(0x21, 0x21, block6), "v2", [client6, server6]],
  ["INET6 with a TLV", v2(0x21, 0x21, block6 + tlv), "v2", [client6, server6]],
  ["a block of 4096 bytes", v2(0x21, 0x11, block4.padEnd(4096, "\n")), "v2", [client4, server4]],
  ["UNSPEC", v2(0x21, 0x00), "v2"],
  ["UNSPEC with a block", v2(0x21, 0x00, block4), "v2"],
  ["UNSPEC over a stream", v2(0x21, 0x01), "v2"],
  ["UNIX", v2(0x21, 0x31, "/a".padEnd(216, "\0")), "v2"],
  ["UNIX with a TLV", v2(0x21, 0x31, "/a".padEnd(216, "\0") + tlv), "v2"],
  ["LOCAL", v2(0x20, 0x00), "v2"],
  ["LOCAL with addresses", v2(0x20, 0x11, block4), "v2"],
  ["LOCAL with a family that doesn't exist", v2(0x20, 0xff, tlv), "v2"],
  ["LOCAL with a block that is too short for its family", v2(0x20, 0x21, tlv), "v2"],
];

describe.each(accepted)("accepts %s", (_, text, version, route) => {
  const header = Buffer.from(text, "latin1");
  const both = Buffer.concat([header, request]);
  const expected = {
    step: "done",
    at: header.length,
    source: route?.[0] ?? null,
    destination: route?.[1] ?? null,
  };
  const seen = run(request, []);

  test.each([version, "auto"] as const)("in mode %s, however it is cut", (mode) => {
    expect(read(mode, header, [])).toEqual(expected);
    expect(read(mode, both, [])).toEqual(expected);
    expect(read(mode, both, everyOffset(both.length))).toEqual(expected);
    for (const offset of everyOffset(both.length))
      expect(read(mode, both, [offset])).toEqual(expected);
  });

  test("and the request behind it starts exactly there", () => {
    const { at } = read(version, both, []);
    expect(run(both.subarray(at), []).requests).toEqual(seen.requests);
  });

  test("needs every byte of it", () => {
    for (const end of everyOffset(header.length))
      expect(read(version, header.subarray(0, end), []).step).toBe("need more");
  });

  test("is forbidden to others, once the signature is there", () => {
    const length = version === "v1" ? "PROXY ".length : signature.length;
    for (const cuts of [[], everyOffset(both.length)]) {
      const outcome = read(version, both, cuts, false);
      expect(outcome).toMatchObject({ step: "forbidden proxy", at: length - 1, source: null });
    }
  });

  test("is unexpected in the other mode, once the signature is there", () => {
    for (const cuts of [[], everyOffset(both.length)])
      expect(read(version === "v1" ? "v2" : "v1", both, cuts).step).toBe(
        "unexpected proxy version",
      );
  });

  test("is plain bytes in mode off", () => {
    expect(read("off", both, [3])).toMatchObject({ step: "plain", at: 0 });
  });
});

const badLine = "bad proxy line";
const badHeader = "bad proxy header";
const tooLong = "proxy header too long";

// `at`: the index of the refused byte; for a line that is complete, of its LF.
const refused: readonly (readonly [string, string, string, number?])[] = [
  ["no words", "PROXY \r\n", badLine],
  ["no addresses", "PROXY TCP4\r\n", badLine],
  ["no destination port", "PROXY TCP4 1.2.3.4 5.6.7.8 1000\r\n", badLine],
  ["one word more", "PROXY TCP4 1.2.3.4 5.6.7.8 1000 443 1\r\n", badLine],
  ["a blank at the end", "PROXY TCP4 1.2.3.4 5.6.7.8 1000 443 \r\n", badLine],
  ["two blanks after PROXY", "PROXY  TCP4 1.2.3.4 5.6.7.8 1000 443\r\n", badLine],
  ["two blanks between addresses", "PROXY TCP4 1.2.3.4  5.6.7.8 1000 443\r\n", badLine],
  ["a tab", "PROXY TCP4 1.2.3.4\t5.6.7.8 1000 443\r\n", badLine],
  ["TCP", "PROXY TCP 1.2.3.4 5.6.7.8 1000 443\r\n", badLine],
  ["TCP5", "PROXY TCP5 1.2.3.4 5.6.7.8 1000 443\r\n", badLine],
  ["UDP4", "PROXY UDP4 1.2.3.4 5.6.7.8 1000 443\r\n", badLine],
  ["tcp4 in lower case", "PROXY tcp4 1.2.3.4 5.6.7.8 1000 443\r\n", badLine],
  ["unknown in lower case", "PROXY unknown\r\n", badLine],
  ["UNKNOWN and more letters", "PROXY UNKNOWNS\r\n", badLine],
  ["an IPv6 address in TCP4", "PROXY TCP4 ::1 5.6.7.8 1000 443\r\n", badLine],
  ["an IPv4 address in TCP6", "PROXY TCP6 1.2.3.4 ::1 1000 443\r\n", badLine],
  ["a short IPv4 address", "PROXY TCP4 1.2.3 5.6.7.8 1000 443\r\n", badLine],
  ["256 in an IPv4 address", "PROXY TCP4 1.2.3.4 5.6.7.256 1000 443\r\n", badLine],
  ["a leading zero in an IPv4 address", "PROXY TCP4 01.2.3.4 5.6.7.8 1000 443\r\n", badLine],
  ["a name", "PROXY TCP4 localhost 5.6.7.8 1000 443\r\n", badLine],
  ["two double colons", "PROXY TCP6 1::2::3 ::1 1000 443\r\n", badLine],
  ["five digits in a group", "PROXY TCP6 12345::1 ::1 1000 443\r\n", badLine],
  ["a zone", "PROXY TCP6 fe80::1%eth0 ::1 1000 443\r\n", badLine],
  ["brackets", "PROXY TCP6 [::1] ::1 1000 443\r\n", badLine],
  ["port 65536", "PROXY TCP4 1.2.3.4 5.6.7.8 65536 443\r\n", badLine],
  ["a port of six digits", "PROXY TCP4 1.2.3.4 5.6.7.8 1000 000443\r\n", badLine],
  ["a leading zero in a port", "PROXY TCP4 1.2.3.4 5.6.7.8 01000 443\r\n", badLine],
  ["port 00", "PROXY TCP4 1.2.3.4 5.6.7.8 00 443\r\n", badLine],
  ["a plus sign", "PROXY TCP4 1.2.3.4 5.6.7.8 +1000 443\r\n", badLine],
  ["a minus sign", "PROXY TCP4 1.2.3.4 5.6.7.8 1000 -1\r\n", badLine],
  ["an exponent", "PROXY TCP4 1.2.3.4 5.6.7.8 1e3 443\r\n", badLine],
  ["an empty port", "PROXY TCP4 1.2.3.4 5.6.7.8  443\r\n", badLine],
  ["a NUL in a port", "PROXY TCP4 1.2.3.4 5.6.7.8 1000 443\0\r\n", badLine],
  ["a bare LF", "PROXY TCP4 1.2.3.4 5.6.7.8 1000 443\n", badLine],
  ["a bare CR", "PROXY UNKNOWN\rGET", badLine, 14],
  ["CR CR LF", "PROXY UNKNOWN\r\r\n", badLine, 14],
  ["a line of 108 bytes", `PROXY UNKNOWN ${"x".repeat(92)}\r\n`, tooLong, 105],
  ["a line without end", `PROXY ${"x".repeat(5000)}`, tooLong, 105],
  ["version 0", v2(0x01, 0x11, block4), badHeader, 15],
  ["version 1", v2(0x11, 0x11, block4), badHeader, 15],
  ["version 3", v2(0x31, 0x11, block4), badHeader, 15],
  ["command 2", v2(0x22, 0x11, block4), badHeader, 15],
  ["command 15", v2(0x2f, 0x11, block4), badHeader, 15],
  ["INET over datagrams", v2(0x21, 0x12, block4), badHeader, 15],
  ["INET6 over datagrams", v2(0x21, 0x22, block6), badHeader, 15],
  ["UNIX over datagrams", v2(0x21, 0x32, "/a".padEnd(216, "\0")), badHeader, 15],
  ["UNSPEC over datagrams", v2(0x21, 0x02), badHeader, 15],
  ["INET over nothing", v2(0x21, 0x10, block4), badHeader, 15],
  ["INET over transport 3", v2(0x21, 0x13, block4), badHeader, 15],
  ["family 4", v2(0x21, 0x41, block6), badHeader, 15],
  ["INET with 11 bytes", v2(0x21, 0x11, block4.slice(1)), badHeader, 15],
  ["INET with nothing", v2(0x21, 0x11), badHeader, 15],
  ["INET6 with 35 bytes", v2(0x21, 0x21, block6.slice(1)), badHeader, 15],
  ["INET6 with the block of INET", v2(0x21, 0x21, block4), badHeader, 15],
  ["UNIX with 215 bytes", v2(0x21, 0x31, "/a".padEnd(215, "\0")), badHeader, 15],
  ["a block of 4097 bytes", v2(0x21, 0x11, block4, 4097), tooLong, 15],
  ["a block of 65535 bytes", v2(0x21, 0x11, block4, 65_535), tooLong, 15],
  ["LOCAL with 4097 bytes", v2(0x20, 0x00, "", 4097), tooLong, 15],
];

describe.each(refused)("refuses %s", (_, text, name, at = text.length - 1) => {
  const bytes = Buffer.from(text, "latin1");
  const expected = { step: name, at, source: null, destination: null };

  test.each([
    ["alone", bytes],
    ["before a request", Buffer.concat([bytes, request])],
  ])("%s, however it is cut", (_where, all) => {
    expect(read("auto", all, [])).toEqual(expected);
    expect(read("auto", all, everyOffset(all.length))).toEqual(expected);
    for (const offset of everyOffset(Math.min(all.length, 400)))
      expect(read("auto", all, [offset])).toEqual(expected);
    expect(errors).toHaveProperty(name, expect.objectContaining({ status: 400 }));
  });
});

test.each([
  ["a request", "GET / HTTP/1.1\r\n\r\n", 0],
  ["a method with the same letter", "POST / HTTP/1.1\r\n\r\n", 1],
  ["a method with the same letters", "PROXYFIND / HTTP/1.1\r\n\r\n", 5],
  ["PROXY in lower case", "proxy TCP4\r\n", 0],
  ["PROXY without a blank", "PROXY\r\n", 5],
  ["PROXY with a tab", "PROXY\tTCP4\r\n", 5],
  ["an empty line first", "\r\nGET / HTTP/1.1\r\n\r\n", 2],
  ["two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", 4],
  ["eleven bytes of the signature", `${signature.slice(0, 11)}\r`, 11],
  ["a blank first", " PROXY UNKNOWN\r\n", 0],
  ["a TLS ClientHello", "\x16\x03\x01\x02\x00", 0],
])("%s is plain at its first byte that no header has", (_, text, differs) => {
  const bytes = Buffer.from(text, "latin1");
  for (const mode of ["v1", "v2", "auto"] as const)
    for (const allowed of [true, false]) {
      const expected = { step: "plain", at: 0, source: null, destination: null };
      for (const cuts of [
        [],
        everyOffset(bytes.length),
        ...everyOffset(bytes.length).map((o) => [o]),
      ])
        expect(read(mode, bytes, cuts, allowed)).toEqual(expected);
      expect(read(mode, bytes.subarray(0, differs + 1), [], allowed)).toEqual(expected);
      expect(read(mode, bytes.subarray(0, differs), [], allowed).step).toBe("need more");
    }
});

test("feed() of nothing needs more", () => {
  const reader = new ProxyReader("auto", true);
  expect(reader.feed(request, 5, 5)).toBe("need more");
  expect(reader.consumed).toBe(5);
  expect(reader.feed(request, 0, request.length)).toBe("plain");
  expect(reader.kept.length).toBe(0);
});

test("kept is the caller's to write into", () => {
  const keptOf = () => {
    const reader = new ProxyReader("auto", true);
    reader.feed(Buffer.from("PROX"), 0, 4);
    reader.feed(Buffer.from("!"), 0, 1);
    return reader.kept;
  };
  keptOf().fill(0);
  expect(keptOf().toString()).toBe("PROX");
});

test("peers outside of proxy_allow_ips get 403", () => {
  expect(errors["forbidden proxy"].status).toBe(403);
});

test.each(["v1", "v2"] as const)(
  "mutated headers of %s never throw, or depend on cuts",
  (version) => {
    const random = seeded(version === "v1" ? 11 : 12);
    const marks = [
      ...Buffer.from("\r\n\t :.%0159afPTX\0\x01\x10\x11\x20\x21\x22\x31\xff", "latin1"),
    ];
    const texts = [
      ...accepted.filter((row) => row[2] === version).map((row) => row[1]),
      ...refused
        .filter(([, text]) => text.startsWith("P") === (version === "v1"))
        .map((row) => row[1]),
    ].filter((text) => text.length < 400);
    const steps = new Set<string>();
    for (let round = 0; round < 20_000; round++) {
      const header = Buffer.from(pick(random, texts), "latin1");
      const bytes = Buffer.concat([header, request]);
      for (let count = 1 + below(random, 3); count > 0; count--)
        bytes[below(random, header.length)] =
          random() < 0.5 ? pick(random, marks) : below(random, 256);
      const whole = read("auto", bytes, []);
      expect(whole.at).toBeWithin(0, bytes.length + 1);
      if (whole.step === "done") expect(whole.at).toBeLessThanOrEqual(4112);
      const cuts = [...new Set(Array.from({ length: 3 }, () => below(random, bytes.length)))];
      expect(
        read(
          "auto",
          bytes,
          cuts.toSorted((a, b) => a - b),
        ),
      ).toEqual(whole);
      steps.add(whole.step);
    }
    const refusal = version === "v1" ? badLine : badHeader;
    expect([...steps]).toEqual(expect.arrayContaining(["done", "plain", refusal]));
  },
);
