/** Servers of JavaScript: they run the very apps of bench/apps, or the same written for node:http. */
import { join } from "node:path";
import { benchApp, gunicornTs, gunicornTsFeature } from "../servers/gunicorn-ts.ts";
import { ownVersion } from "../results.ts";
import {
  type Peer,
  type PeerTask,
  programVersion,
  without,
  writtenApp,
  writtenAppEnv,
} from "./peer.ts";

const apps = join(import.meta.dir, "../apps");
const nodeApp = join(apps, "peers/node-http.mjs");
const denoApp = join(apps, "peers/deno.mjs");

function gunicornTsOf(workerClass: "async" | "serve", many = true): Peer {
  return {
    name: `gunicorn-ts ${workerClass}${many ? "" : " x 1"}`,
    version: () => ownVersion["gunicorn-ts"] ?? null,
    install: "",
    command({ app, port, workers, feature, facilities }) {
      const words = gunicornTsFeature(feature, facilities);
      if ("cannot" in words) return words;
      const processes = many ? workers : 1;
      const options = { port, workers: processes, app: benchApp(app), workerClass, ...words };
      return { command: gunicornTs(options), scheme: feature === "TLS" ? "https" : "http" };
    },
  };
}

function bunServe(many: boolean): Peer {
  return {
    name: many ? "Bun.serve x N, reusePort" : "Bun.serve x 1",
    version: () => Bun.version,
    install: "",
    command(task) {
      const { app, port, workers, feature } = task;
      const tls = pairOf(task);
      if (tls === null) return without(task);
      const processes = String(many ? workers : 1);
      const words = [join(apps, "bare.ts"), join(apps, `${app}.ts`), String(port), processes];
      return {
        command: [process.execPath, ...words, ...tls],
        scheme: feature === "TLS" ? "https" : "http",
      };
    },
  };
}

/** Certificate and key; none without TLS; null when there are none, or for another feature. */
function pairOf({ feature, facilities }: PeerTask): readonly string[] | null {
  if (feature === null) return [];
  const pair = feature === "TLS" ? facilities.certificate() : null;
  return pair === null ? null : [pair.certificate, pair.key];
}

const nodeCluster: Peer = {
  name: "node:http, cluster x N",
  version: () => programVersion("node"),
  install: "https://nodejs.org",
  command(task) {
    const { app, port, workers, feature } = task;
    const tls = pairOf(task);
    const written = writtenApp(app);
    if (tls === null || written === null) return without(task);
    const [certificate, key] = tls;
    return {
      command: ["node", nodeApp],
      env: {
        ...writtenAppEnv(written),
        BENCH_PORT: String(port),
        BENCH_WORKERS: String(workers),
        ...(certificate !== undefined && key !== undefined
          ? { BENCH_CERTIFICATE: certificate, BENCH_KEY: key }
          : {}),
      },
      scheme: feature === "TLS" ? "https" : "http",
    };
  },
};

const pm2: Peer = {
  name: "PM2, node:http x N",
  version: () => programVersion("pm2-runtime"),
  install: "npm install --global pm2",
  command(task) {
    const { app, port, workers, feature, facilities } = task;
    const written = writtenApp(app);
    if (feature !== null || written === null) return without(task);
    return {
      command: ["pm2-runtime", "start", nodeApp, "-i", String(workers), "--name", "bench"],
      env: {
        ...writtenAppEnv(written),
        BENCH_PORT: String(port),
        BENCH_WORKERS: "0",
        // It keeps a socket and logs in its home.
        PM2_HOME: join(facilities.folder, `pm2-${port}`),
      },
      audible: false,
    };
  },
};

const deno: Peer = {
  name: "Deno, serve x N",
  version: () => programVersion("deno"),
  install: "npm install --global deno",
  command(task) {
    const { app, port, workers, feature } = task;
    const written = writtenApp(app);
    if (feature !== null || written === null) return without(task);
    const address = ["--host", "127.0.0.1", "--port", String(port)];
    const allowed = ["--allow-env", "--allow-read"];
    return {
      command: ["deno", "serve", "--quiet", "--parallel", ...address, ...allowed, denoApp],
      // How many threads --parallel makes.
      env: { ...writtenAppEnv(written), DENO_JOBS: String(workers), DENO_NO_UPDATE_CHECK: "1" },
      audible: false,
    };
  },
};

export const javascriptPeers: readonly Peer[] = [
  gunicornTsOf("async"),
  gunicornTsOf("serve"),
  gunicornTsOf("async", false),
  bunServe(false),
  bunServe(true),
  nodeCluster,
  pm2,
  deno,
];
