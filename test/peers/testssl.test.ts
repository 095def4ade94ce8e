/** What testssl.sh, as Debian has it, thinks of a server with the default settings. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Certificates } from "../support/certificates.ts";
import { describeWith } from "../support/peers.ts";
import { gunicorn } from "../support/server.ts";

// Most of it is waiting: 40 s by itself.
setDefaultTimeout(600_000);

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

/** What costs a grade, or says that nothing could be found out: each with the reason why it stands. */
const known: Readonly<Record<string, string>> = {
  cipher_order:
    "all are strong, and the client knows which one it is fast with, as Mozilla advises",
  cert_revocation: "the test's own authority has neither a list nor OCSP",
  engine_problem: "the machine's own openssl has no engine for GOST's ciphers",
  RC4: "the machine's own openssl has none to ask with",
};

/** Of testssl.sh 3.2 and newer; Debian 12 has 3.0, which gives no grade. */
const good = /^A\+?$/;

describeWith(["testssl", "openssl"], "testssl.sh", () => {
  test("finds nothing weak", async () => {
    using certificates = new Certificates();
    const authority = certificates.make({ name: "Authority", ca: true });
    const leaf = certificates.make({ by: authority, names: ["IP:127.0.0.1"] });
    const args = ["--certfile", leaf.chainfile, "--keyfile", leaf.keyfile];
    const app = `export const fetch = () => new Response("hello");`;
    await using server = await gunicorn({ args, files: { "app.ts": app } });
    const report = join(certificates.folder, "report.json");
    const found = await findings(server.port, authority.certfile, report);
    const bad = found.filter(
      ({ severity, id }) => severity !== "OK" && severity !== "INFO" && !(id in known),
    );
    expect(bad).toEqual([]);
    const by = Object.fromEntries(found.map(({ id, finding }) => [id, finding]));
    const { SSLv2, SSLv3, TLS1, TLS1_1, TLS1_2, PFS, ALPN } = by;
    expect({ SSLv2, SSLv3, TLS1, TLS1_1, TLS1_2, PFS, ALPN }).toEqual({
      SSLv2: "not offered",
      SSLv3: "not offered",
      TLS1: "not offered",
      TLS1_1: "not offered",
      TLS1_2: "offered",
      PFS: "offered",
      ALPN: "http/1.1",
    });
    expect(by["TLS1_3"]).toStartWith("offered");
    expect(by["sessionresumption_ticket"]).toBe("supported");
    expect(by["cert_chain_of_trust"]).toBe("passed.");
    expect(by["PFS_ciphers"]?.split(" ").toSorted()).toEqual([
      "ECDHE-ECDSA-AES128-GCM-SHA256",
      "ECDHE-ECDSA-AES256-GCM-SHA384",
      "ECDHE-ECDSA-CHACHA20-POLY1305",
      "TLS_AES_128_GCM_SHA256",
      "TLS_AES_256_GCM_SHA384",
      "TLS_CHACHA20_POLY1305_SHA256",
    ]);
    expect(by["overall_grade"] ?? "A").toMatch(good);
  });
});

/** Protocols, ciphers, the server's choices and its certificate, forward secrecy, and all named attacks. */
async function findings(port: number, authority: string, report: string): Promise<Finding[]> {
  const quiet = ["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none"];
  const what = ["--fast", "-p", "-s", "-P", "-S", "-f", "-U"];
  const where = ["--ip", "127.0.0.1", "--add-ca", authority, `https://localhost:${port}`];
  const run = Bun.spawn(["testssl", ...quiet, "--jsonfile", report, ...what, ...where], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HOME: "/nonexistent" },
  });
  const [output] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  try {
    return JSON.parse(readFileSync(report, "utf8")) as Finding[];
  } catch (error) {
    throw new Error(`testssl.sh: ${output}`, { cause: error });
  }
}
