/** The Deployment of examples/deploy, run by `podman kube play` with an image from scratch. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { example } from "../support/deployment.ts";
import { Executables } from "../support/packaging/executable.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import { describeWith } from "../support/peers.ts";
import { Podman } from "../support/containers/podman.ts";
import { until } from "../support/server.ts";

setDefaultTimeout(240_000);

const app = `export const fetch = () => new Response("hello from " + process.getuid());`;

/** Podman asks by a curl inside of the container, which an image from scratch hasn't (docs/deploy-containers.md). */
function withoutProbes(manifests: string): string {
  const probe = /^( +)(?:startup|readiness|liveness)Probe:\n(?:\1 .*\n)+/gm;
  expect(manifests.match(probe)).toHaveLength(3);
  return manifests.replace(probe, "");
}

describeWith(["podman", "runc"], "podman kube play", () => {
  test.skipIf(!isRoot)(
    `runs the Deployment with its words and rights, and stops it gracefully${needsRoot}`,
    async () => {
      using executables = new Executables();
      await using podman = await Podman.start();
      podman.importProgram("registry.example/site:1", "site", await executables.make("site", app));
      const file = join(podman.folder, "kubernetes.yaml");
      writeFileSync(file, withoutProbes(example("kubernetes.yaml", {})));
      podman.must("kube", "play", file);
      await until("ready", () => podman.curl("http://127.0.0.1:9100/ready") === "ready\n");
      expect(podman.curl("http://127.0.0.1:8000/")).toBe("hello from 65532");

      const container = "site-pod-0-site";
      const told = (what: string) => podman.must("inspect", "--format", what, container);
      expect(told("{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}}")).toBe("true 1073741824");
      expect(told("{{.EffectiveCaps}}")).toBe("[]");
      podman.must("stop", "--time", "40", container);
      expect(told("{{.State.ExitCode}}")).toBe("0");
      expect(podman.log(container)).toContain("[INFO] Shutting down: Master");
      podman.must("kube", "down", file);
    },
  );
});
