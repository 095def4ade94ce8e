/** In real containers, as docs/deploy-containers.md says to run it: what Docker's limits and rights leave must be enough. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Certificates } from "../support/certificates.ts";
import { Container, ContainerLoad } from "../support/containers/docker-container.ts";
import { Docker } from "../support/containers/docker.ts";
import { until } from "../support/server.ts";

setDefaultTimeout(120_000);

const page = readFileSync(join(import.meta.dir, "../../docs/deploy-containers.md"), "utf8");
const [, dockerfile = ""] = /```dockerfile\n([\s\S]*?)```/.exec(page) ?? [];

const app = `export const fetch = async () => {
  await Bun.sleep(5); // requests overlap so
  return new Response("hello from " + process.getuid());
};
`;

const started = await Docker.startOrTell();
const why = typeof started === "string" ? ` (${started})` : "";

interface Expected {
  readonly workers?: number;
  readonly uid?: number;
  readonly port?: number;
  readonly megabytes?: number;
  readonly secure?: boolean;
}

const hardened = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
const small = ["-m", "160m", "--pids-limit", "64", "--cpus", "0.5"];

/** Of all names in the container: who renews it writes from outside. */
const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());
const mounted = join(certificates.folder, "mounted");
const withCertificate = [
  "-v",
  `${mounted}:/tls:ro`,
  "-e",
  "GUNICORN_CMD_ARGS=--certfile /tls/cert.pem --keyfile /tls/key.pem --no-tls-watch",
];

/** A new one in the mounted folder; answers its number, as X509Certificate has it. */
function renew(): string {
  const { cert, key } = certificates.make();
  mkdirSync(mounted, { recursive: true });
  writeFileSync(join(mounted, "cert.pem"), cert);
  writeFileSync(join(mounted, "key.pem"), key);
  chmodSync(mounted, 0o755);
  return new X509Certificate(cert).serialNumber;
}

const rows: readonly (readonly [claim: string, words: readonly string[], expected: Expected])[] = [
  ["Docker's defaults", [], {}],
  ["--user 1000", ["--user", "1000"], { uid: 1000 }],
  [hardened.join(" "), hardened, {}],
  [["--user 1000", ...hardened].join(" "), ["--user", "1000", ...hardened], { uid: 1000 }],
  ["--ipc none", ["--ipc", "none"], {}],
  [small.join(" "), small, { workers: 1, megabytes: 160 }],
  ["--init", ["--init"], {}],
  ["-e PORT=9000", ["-e", "PORT=9000"], { port: 9000 }],
  [
    ["--user 1000", ...hardened, "with a certificate"].join(" "),
    ["--user", "1000", ...hardened, ...withCertificate],
    { uid: 1000, secure: true },
  ],
];

describe.skipIf(typeof started === "string")(`in a container${why}`, () => {
  const docker = started as Docker;

  beforeAll(() => docker.buildImage(dockerfile, app));
  afterAll(() => docker[Symbol.asyncDispose]());

  test.each(rows)(
    "%s: it answers, reloads, and stops under load without a loss",
    async (_claim, words, expected) => {
      const {
        workers = availableParallelism(),
        uid = 0,
        port = 8000,
        megabytes = Infinity,
        secure = false,
      } = expected;
      if (secure) renew();
      await using container = await Container.run(docker, words);
      const before = await container.settled(workers);
      const scheme = secure ? "https" : "http";
      const url = `${scheme}://${await container.inspect("{{.NetworkSettings.IPAddress}}")}:${port}/`;
      const load = new ContainerLoad(docker, url, `hello from ${uid}`);
      await load.underWay(container);

      const renewed = secure ? renew() : "";
      await container.do("kill", "-s", "HUP");
      await container.settled(workers, before);
      if (secure) expect(await serialNumber(docker, new URL(url).host)).toBe(renewed);
      // Who has ended is a zombie until the master, whom --cpus may hold up, has taken note of it.
      const processes = await until("no zombie", async () => {
        const all = await container.processes();
        return all.some(({ state }) => state.startsWith("Z")) ? null : all;
      });
      const resident = processes.reduce((sum, { kilobytes }) => sum + kilobytes, 0) / 1024;
      expect(resident).toBeLessThan(megabytes);

      await container.do("stop", "--time", "35");
      expect(await container.inspect("{{.State.ExitCode}} {{.State.OOMKilled}}")).toBe("0 false");
      const { answered, lost } = await load.end();
      expect(lost).toEqual([]);
      expect(answered).toBeGreaterThan(100);
      expect(await container.log()).toEndWith("[INFO] Shutting down: Master");
    },
  );
});

/** Of the certificate that a server in the daemon's network serves. */
async function serialNumber(docker: Docker, address: string): Promise<string> {
  const command = ["openssl", "s_client", "-connect", address];
  const run = Bun.spawn([...docker.within(), ...command], { stdio: ["ignore", "pipe", "ignore"] });
  const [text] = await Promise.all([run.stdout.text(), run.exited]);
  const [pem = ""] = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(text) ?? [];
  return new X509Certificate(pem).serialNumber;
}
