import { describe, expect, test } from "bun:test";
import {
  afterLook,
  type Fault,
  patienceMs,
  repeatMs,
  tellExpiry,
  tellServed,
  type Told,
} from "../../../../src/arbiter/decide/certificates.ts";
import type { CertificateFacts } from "../../../../src/tls/describe.ts";

const dayMs = 86_400_000;
const endMs = Date.UTC(2027, 1, 26, 12);
const certificate: CertificateFacts = {
  fingerprint: "00:01",
  name: "CN=example.org (example.org)",
  expiresMs: endMs,
};

describe("tellExpiry()", () => {
  test.each([
    [90, []],
    [14.01, []],
    [
      14,
      [
        "warning: TLS certificate expires in 14 days, on 2027-02-26T12:00:00Z: CN=example.org (example.org)",
      ],
    ],
    [
      1.9,
      [
        "warning: TLS certificate expires in 1 day, on 2027-02-26T12:00:00Z: CN=example.org (example.org)",
      ],
    ],
    [
      0.5,
      [
        "warning: TLS certificate expires in less than a day, on 2027-02-26T12:00:00Z: CN=example.org (example.org)",
      ],
    ],
    [0, ["error: TLS certificate expired on 2027-02-26T12:00:00Z: CN=example.org (example.org)"]],
    [-30, ["error: TLS certificate expired on 2027-02-26T12:00:00Z: CN=example.org (example.org)"]],
  ])("%d days before the end", (days, expected) => {
    const { lines } = tellExpiry([certificate], new Map(), endMs - days * dayMs);
    expect(lines.map(({ level, message }) => `${level}: ${message}`)).toEqual(expected);
  });

  test("says so daily, and at once when it is over", () => {
    const days: number[] = [];
    let told: Told = new Map();
    for (let hours = -15 * 24 - 1; hours < 50; hours++) {
      const step = tellExpiry([certificate], told, endMs + hours * 3_600_000);
      told = step.told;
      for (const { level } of step.lines) days.push((level === "error" ? 100 : 0) + hours / 24);
    }
    const before = Array.from({ length: 14 }, (_, index) => index - 14);
    expect(days).toEqual([...before, 100, 101, 102]);
  });

  test("knows certificates apart, and forgets those that are no longer served", () => {
    const other = { ...certificate, fingerprint: "00:02", name: "CN=other" };
    const nowMs = endMs - dayMs;
    const first = tellExpiry([certificate], new Map(), nowMs);
    const second = tellExpiry([certificate, other], first.told, nowMs + 1000);
    expect(second.lines.map(({ message }) => message)).toEqual([
      expect.stringContaining("CN=other"),
    ]);
    const renewed = { ...certificate, fingerprint: "00:03", expiresMs: endMs + 90 * dayMs };
    expect(tellExpiry([renewed], second.told, nowMs)).toEqual({ lines: [], told: new Map() });
  });
});

describe("tellServed()", () => {
  const other = { ...certificate, fingerprint: "00:02", name: "CN=other" };
  const renewed = { ...certificate, fingerprint: "00:03", expiresMs: endMs + dayMs };
  test.each([
    [
      "the start",
      [certificate, other],
      null,
      [
        "TLS certificate: CN=example.org (example.org), valid until 2027-02-26T12:00:00Z",
        "TLS certificate: CN=other, valid until 2027-02-26T12:00:00Z",
      ],
    ],
    [
      "one of two renewed",
      [renewed, other],
      [certificate, other],
      ["TLS certificate renewed: CN=example.org (example.org), valid until 2027-02-27T12:00:00Z"],
    ],
    [
      "another key",
      [certificate],
      [certificate],
      ["TLS settings renewed, with the same certificates"],
    ],
  ])("%s", (_, now, before, lines) => {
    expect(tellServed(now, before)).toEqual(lines);
  });
});

describe("afterLook()", () => {
  const words = new Map([
    [patienceMs, "again"],
    [repeatMs, "in a minute"],
  ]);

  /** Looks at the given times, each with its problem; answers what was said. */
  function looks(...each: readonly (readonly [atMs: number, problem: string | null])[]): string[] {
    const said: string[] = [];
    let fault: Fault | null = null;
    for (const [atMs, problem] of each) {
      const look = afterLook(fault, problem, atMs);
      fault = look.fault;
      said.push(look.line?.message.replace(/^.*stay: /, "") ?? words.get(look.againMs ?? 0) ?? "");
    }
    return said;
  }

  test.each([
    [
      "what is well isn't spoken of",
      [
        [0, null],
        [1, null],
      ],
      ["", ""],
    ],
    [
      "a problem that passes isn't told",
      [
        [0, "a"],
        [patienceMs - 1, null],
      ],
      ["again", ""],
    ],
    [
      "one that stays is told once",
      [
        [0, "a"],
        [10, "a"],
        [patienceMs, "a"],
        [9 * patienceMs, "a"],
      ],
      ["again", "again", "a", "in a minute"],
    ],
    [
      "another one has its own time",
      [
        [0, "a"],
        [patienceMs, "b"],
        [2 * patienceMs, "b"],
      ],
      ["again", "again", "b"],
    ],
    [
      "one that comes back is told again",
      [
        [0, "a"],
        [patienceMs, "a"],
        [patienceMs + 1, null],
        [patienceMs + 2, "a"],
        [2 * patienceMs + 2, "a"],
      ],
      ["again", "a", "", "again", "a"],
    ],
  ] as const)("%s", (_, given, said) => {
    expect(looks(...given)).toEqual([...said]);
  });

  test("says what stays", () => {
    const fault = { problem: "keyfile: no", sinceMs: 0, told: false };
    expect(afterLook(fault, "keyfile: no", patienceMs)).toEqual({
      fault: { ...fault, told: true },
      line: {
        level: "warning",
        message: "TLS certificates aren't renewed, those of before stay: keyfile: no",
      },
      // Nobody has to touch a file for what time has mended.
      againMs: repeatMs,
    });
  });
});
