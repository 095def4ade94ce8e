/** Sessions that clients resume: what they have been let in by once doesn't let them in for ever. */
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Certificates, type Made } from "../support/certificates.ts";
import { type RunningServer, start, until } from "../support/server.ts";
import { sClient } from "../support/tls-client.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const authority = certificates.make({ name: "clients-ca", ca: true });
const stranger = certificates.make({ name: "other-ca", ca: true });
const known = certificates.make({ name: "known", by: authority });
const other = certificates.make({ name: "other", by: stranger });

const app = `export default { fetch: () => new Response("hello") };`;

/** What the files ca.pem and asked say decides about clients; the hook reads both. */
const config = `import { readFileSync } from "node:fs";
const read = (name) => readFileSync(new URL(name, import.meta.url), "latin1");
export default {
  sslContext: (_, settings) => ({ ...settings(), clientCertificates: read("asked"), ca: read("ca.pem") }),
};`;

interface State {
  readonly asked: "none" | "optional" | "required";
  readonly ca: Made;
}

function write(folder: string, { asked, ca }: State): void {
  writeFileSync(join(folder, "asked"), asked);
  writeFileSync(join(folder, "ca.pem"), ca.cert);
}

/** The workers stay: they take what is new for new connections. */
async function change(server: RunningServer, state: State): Promise<void> {
  const workers = server.workers();
  write(server.folder, state);
  // What the hook reads isn't watched.
  const certificate = certificates.make({ name: "renewed" });
  writeFileSync(join(server.folder, "key.pem"), certificate.key);
  writeFileSync(join(server.folder, "cert.pem"), certificate.cert);
  await server.logged("TLS certificate renewed: CN=renewed");
  await until("the worker to hear of it", async () => {
    return (await sClient(server.port)).includes("CN = renewed");
  });
  expect(server.workers()).toEqual(workers);
}

const shows = ({ certfile, keyfile }: Made) => ["-cert", certfile, "-key", keyfile];

const rows: [name: string, before: State, client: Made | null, after: State, next: Made][] = [
  [
    "whose authority is no longer one",
    { asked: "required", ca: authority },
    known,
    { asked: "required", ca: stranger },
    other,
  ],
  [
    "whose authority is no longer one, where none is needed",
    { asked: "optional", ca: authority },
    known,
    { asked: "optional", ca: stranger },
    other,
  ],
  [
    "without a certificate, when one is needed",
    { asked: "none", ca: authority },
    null,
    { asked: "required", ca: authority },
    known,
  ],
  [
    "without a certificate, when it was only asked for one",
    { asked: "optional", ca: authority },
    null,
    { asked: "required", ca: authority },
    known,
  ],
];

test.each(rows)(
  "a session doesn't let in a client %s",
  async (_, before, client, after, next) => {
    const files = {
      "app.ts": app,
      "gunicorn.conf.ts": config,
      asked: before.asked,
      "ca.pem": before.ca.cert,
    };
    // Whoever asks without a certificate may not be answered.
    await using server = start({ secure: true, files, args: ["-c", "gunicorn.conf.ts"] });
    await server.logged("Using worker:");
    const versions = ["-tls1_2", "-tls1_3"];
    const session = (version: string) => join(server.folder, `session${version}`);
    const own = client === null ? [] : shows(client);
    for (const version of versions) {
      const first = await sClient(server.port, version, ...own, "-sess_out", session(version));
      expect(first).toContain("hello");
      const again = await sClient(server.port, version, ...own, "-sess_in", session(version));
      expect(again).toContain("\nReused, TLS");
      expect(again).toContain("hello");
    }
    await change(server, after);
    for (const version of versions) {
      const resumed = await sClient(server.port, version, ...own, "-sess_in", session(version));
      expect(resumed).not.toContain("hello");
      expect(await sClient(server.port, version, ...shows(next))).toContain("hello");
    }
  },
  120_000,
);
