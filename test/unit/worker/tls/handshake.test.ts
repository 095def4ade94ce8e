/** The owner of a socket until its handshake is over. */
import { describe, expect, test } from "bun:test";
import type { TlsFacts } from "../../../../src/api/request-record.ts";
import type { ClientAddress } from "../../../../src/app/server.ts";
import type { PeerCertificate } from "../../../../src/api/worker-server.ts";
import type { SecureWire } from "../../../../src/worker/connection/wire.ts";
import { Handshake, type HandshakeTerms } from "../../../../src/worker/tls/handshake.ts";
import type { ClientCertificates } from "../../../../src/tls/credentials.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

class FakeSecureWire extends FakeWire implements SecureWire {
  authorized = false;
  certificate: PeerCertificate | undefined = undefined;
  override close(): void {
    this.did.push("close");
    this.terminate();
  }

  getTLSVersion = () => "TLSv1.3";
  getCipher = () => ({ name: "TLS_X" });
  getPeerCertificate = () => this.certificate;
}

/** Its times as OpenSSL writes them, in days from now. */
function certificateOf(fromDays: number, toDays: number): PeerCertificate {
  const [valid_from, valid_to] = [fromDays, toDays].map((days) => {
    const [, day, month, year, time] = new Date(Date.now() + days * 86_400_000)
      .toUTCString()
      .split(/[ ]/);
    return `${month} ${String(Number(day)).padStart(2)} ${time} ${year} GMT`;
  });
  return { subject: { CN: "client" }, valid_from, valid_to } as unknown as PeerCertificate;
}

const certificate = certificateOf(-1, 1);
const times = { headTicks: 9, keepAliveTicks: 3, lingerTicks: 2 };

function begin(
  clientCertificates: ClientCertificates = "none",
  deadlines: Partial<typeof times> = {},
  hasAuthority = true,
  named: ClientAddress | null = null,
) {
  const wire = new FakeSecureWire();
  const lines: string[] = [];
  const secured: TlsFacts[] = [];
  const answers: string[] = [];
  const terms: HandshakeTerms = {
    deadlines: { ...times, ...deadlines },
    clientCertificates,
    hasAuthority,
    log: { debug: (line) => void lines.push(line) },
    secured: (_, facts) => void secured.push(facts),
    plainHttp: () => void answers.push("400"),
  };
  const handshake = new Handshake(wire, terms, named);
  wire.owner = handshake;
  return { wire, handshake, lines, secured, answers };
}

/** After how many ticks the client is cut; null: never. */
function cutAfter({ handshake, wire }: ReturnType<typeof begin>): number | null {
  for (let count = 1; count <= 50; count++) {
    handshake.tick();
    if (wire.closed) return count;
  }
  return null;
}

describe("Handshake", () => {
  test("hands the connection over when it has succeeded", () => {
    const { handshake, secured, lines, wire } = begin();
    // Bun's error says that there is no client certificate, though nobody has asked for one.
    handshake.ended(true, { code: "UNABLE_TO_GET_ISSUER_CERT", message: "unable to" });
    expect(secured).toEqual([{ version: "TLSv1.3", cipher: "TLS_X", clientSubject: null }]);
    expect([lines, wire.did]).toEqual([[], []]);
  });

  test("says why it has failed, and leaves the socket to Bun", () => {
    const { handshake, secured, lines, wire } = begin();
    const message = "error:100000f0:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL";
    handshake.ended(false, { code: "EPROTO", message });
    expect(lines).toEqual(["Closing ip=192.0.2.7: TLS handshake: unsupported protocol"]);
    expect([secured, wire.did]).toEqual([[], []]);
  });

  test.each<[string, ClientAddress | null]>([
    ["192.0.2.7", null],
    ["198.51.100.3", { address: "198.51.100.3", family: "IPv4", port: 5 }],
  ])("calls the client %s, as its socket or a PROXY header says", (address, named) => {
    const { handshake, lines } = begin("none", {}, true, named);
    handshake.ended(false, { code: "ECONNRESET" });
    expect(lines).toEqual([`Closing ip=${address}: TLS handshake: the client has left`]);
  });

  test("leaves plain HTTP to whoever answers it", () => {
    const { handshake, secured, lines, answers } = begin();
    const message = "error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST";
    handshake.ended(false, { code: "EPROTO", message });
    expect([answers, secured, lines]).toEqual([["400"], [], []]);
  });

  test.each<
    [string, ClientCertificates, PeerCertificate | undefined, boolean, string | null | "closed"]
  >([
    ["none wanted, none sent", "none", undefined, false, null],
    ["none wanted, and Bun finds one", "none", certificate, false, null],
    ["optional, none sent", "optional", undefined, false, null],
    ["optional, a good one", "optional", certificate, true, "CN=client"],
    ["optional, a bad one", "optional", certificate, false, "closed"],
    ["required, a good one", "required", certificate, true, "CN=client"],
    ["required, a bad one", "required", certificate, false, "closed"],
    ["required, none sent", "required", undefined, false, "closed"],
  ])("client certificates: %s", (_name, wanted, sent, authorized, outcome) => {
    const { handshake, secured, lines, wire } = begin(wanted);
    wire.certificate = sent;
    wire.authorized = authorized;
    handshake.ended(true, { code: "CERT_HAS_EXPIRED", message: "certificate has expired" });
    const refusal =
      "Closing ip=192.0.2.7: TLS handshake: client certificate refused: certificate has expired";
    expect({ lines, did: wire.did, subjects: secured.map((each) => each.clientSubject) }).toEqual(
      outcome === "closed"
        ? { lines: [refusal], did: ["end"], subjects: [] }
        : { lines: [], did: [], subjects: [outcome] },
    );
  });

  test.each<[string, ClientCertificates, PeerCertificate, string]>([
    ["has expired, optional", "optional", certificateOf(-2, -1), "certificate has expired"],
    ["has expired, required", "required", certificateOf(-2, -1), "certificate has expired"],
    ["isn't valid yet", "required", certificateOf(1, 2), "certificate is not yet valid"],
  ])("a resumed session, whose client certificate %s", (_name, wanted, sent, reason) => {
    const { handshake, secured, lines, wire } = begin(wanted);
    wire.certificate = sent;
    // OpenSSL doesn't look at it again.
    wire.authorized = true;
    handshake.ended(true, null);
    expect({ lines, did: wire.did, secured }).toEqual({
      lines: [`Closing ip=192.0.2.7: TLS handshake: client certificate refused: ${reason}`],
      did: ["end"],
      secured: [],
    });
  });

  test.each(["optional", "required"] as const)(
    "client certificates: %s, and nobody may sign them",
    (wanted) => {
      const { handshake, secured, wire } = begin(wanted, {}, false);
      wire.certificate = certificate;
      wire.authorized = true;
      handshake.ended(true, null);
      expect([wire.did, secured]).toEqual([["end"], []]);
    },
  );

  test("cuts a client that takes longer than header_timeout", () => {
    const begun = begin();
    expect(cutAfter(begun)).toBe(9);
    expect(begun.lines).toEqual(["Closing ip=192.0.2.7: TLS handshake: header_timeout"]);
    // Bun tells of the end of what has been cut.
    begun.handshake.ended(false, { code: "ECONNRESET" });
    expect(begun.lines).toHaveLength(1);
  });

  test("waits for ever without header_timeout", () => {
    expect(cutAfter(begin("none", { headTicks: 0 }))).toBeNull();
  });

  test.each<[string, Partial<typeof times>, number]>([
    ["as long as for an idle client", {}, 3],
    ["that long without header_timeout", { headTicks: 0 }, 3],
    ["2 seconds at least", { keepAliveTicks: 0 }, 2],
    ["no longer than before", { headTicks: 1 }, 1],
  ])("is waited for in a drain: %s", (_name, change, ticks) => {
    const begun = begin("none", change);
    begun.handshake.drain();
    expect(cutAfter(begun)).toBe(ticks);
  });
});
