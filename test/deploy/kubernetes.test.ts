/** The manifests of examples/deploy: by the published schemas, and that a server with their words answers what they ask. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminUrl } from "../support/admin.ts";
import { example } from "../support/deployment.ts";
import { describeWith, toolPath } from "../support/peers.ts";
import { gunicorn, until } from "../support/server.ts";

setDefaultTimeout(120_000);

const text = example("kubernetes.yaml", {});

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

/** What the test reads of the manifests. */
interface Manifest {
  readonly kind: string;
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [
          {
            readonly args: readonly string[];
            readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
            readonly startupProbe: Probe;
            readonly readinessProbe: Probe;
            readonly livenessProbe: Probe;
          },
        ];
      };
    };
    readonly metrics: readonly { readonly pods?: { readonly metric: { readonly name: string } } }[];
    readonly podMetricsEndpoints: readonly { readonly path: string; readonly port: string }[];
    readonly ports: readonly { readonly targetPort: string }[];
  };
}

const manifests = Bun.YAML.parse(text) as readonly Manifest[];

function only(kind: string): Manifest["spec"] {
  const [found, ...more] = manifests.filter((each) => each.kind === kind);
  if (found === undefined || more.length > 0) throw new Error(`one ${kind} is wanted`);
  return found.spec;
}

test("a server with the words of the Deployment answers its probes, and has the metric that it is scaled by", async () => {
  const { containers, terminationGracePeriodSeconds } = only("Deployment").template.spec;
  const [{ args, ports, startupProbe, readinessProbe, livenessProbe }] = containers;
  const words = args.map((word) => word.replace(/0\.0\.0\.0:\d+$/, "127.0.0.1:0"));
  await using server = await gunicorn({
    files: { "app.ts": `export const fetch = () => new Response("ok");` },
    bind: [],
    args: words,
  });
  const urls: Readonly<Record<string, string>> = {
    http: server.url,
    admin: await adminUrl(server),
  };
  expect(Object.keys(urls)).toEqual(ports.map(({ name }) => name));
  expect(
    args.filter((word) => /:\d+$/.test(word)).map((word) => Number(word.split(":")[1])),
  ).toEqual(ports.map(({ containerPort }) => containerPort));
  for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe]) {
    const url = new URL(httpGet.path, urls[httpGet.port]);
    await until(`200 by ${url}`, async () => (await fetch(url)).status === 200);
  }
  for (const { targetPort } of only("Service").ports) {
    expect(await (await fetch(urls[targetPort] ?? "")).text()).toBe("ok");
  }
  for (const { path, port } of only("PodMonitor").podMetricsEndpoints) {
    const metrics = await (await fetch(new URL(path, urls[port]))).text();
    for (const { pods } of only("HorizontalPodAutoscaler").metrics) {
      if (pods !== undefined) expect(metrics).toContain(`\n${pods.metric.name}{`);
    }
  }
  // As long as it may take to stop: drain_delay, and the default of graceful_timeout.
  const delay = Number(/--drain-delay=(\d+)/.exec(args.join(" "))?.[1]);
  expect(terminationGracePeriodSeconds).toBeGreaterThan(delay + 30);
});

/** Manifests that go through the checker, and its words. */
async function check(manifest: string): Promise<{ code: number; told: string }> {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  const file = join(folder, "kubernetes.yaml");
  writeFileSync(file, manifest);
  const run = Bun.spawn([toolPath("kubernetes-validate") as string, "--strict", file], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const told = (await Promise.all([run.stdout.text(), run.stderr.text()])).join("");
  const code = await run.exited;
  rmSync(folder, { recursive: true });
  return { code, told };
}

describeWith(["kubernetes-validate"], "kubernetes-validate", () => {
  test("finds nothing wrong, and has a schema for all but the operator's kind", async () => {
    const { code, told } = await check(text);
    expect(code).toBe(0);
    const passed = [...told.matchAll(/passed for resource (\w+)\//g)].map(([, kind = ""]) => kind);
    expect(passed).toEqual(["deployment", "service", "horizontalpodautoscaler"]);
  });

  test("would find a word that is none", async () => {
    const { code, told } = await check(text.replace("periodSeconds", "periodSecond"));
    expect(code).toBe(1);
    expect(told).toContain("'periodSecond' was unexpected");
  });
});
