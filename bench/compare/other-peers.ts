/** nginx with a constant, and the servers of Python. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Facilities } from "../servers/facilities.ts";
import { type Peer, type PeerTask, programVersion, without } from "./peer.ts";

const folder = join(import.meta.dir, "../apps/peers");

/** The names in wsgi.py and asgi.py. */
const pythonNames: Readonly<Record<string, string>> = { hello: "hello", json: "to_json" };

const rows = Array.from({ length: 10 }, (_, id) => ({ id, name: `Item ${id}`, price: id * 1.5 }));

/** What the apps of bench/apps answer. */
const constants: Readonly<Record<string, { readonly type: string; readonly body: string }>> = {
  hello: { type: "text/plain", body: "Hello, World!\\n" },
  json: { type: "application/json", body: JSON.stringify({ message: "Hello, World!", rows }) },
};

const nginx: Peer = {
  name: "nginx, a constant",
  version: () => programVersion("nginx", ["-v"]),
  install: "apt-get install nginx",
  command(task) {
    const { app, port, feature, facilities } = task;
    const constant = constants[app];
    const pair = feature === "TLS" ? facilities.certificate() : null;
    if (constant === undefined || feature === "statsD" || (feature === "TLS" && pair === null)) {
      return without(task);
    }
    const file = join(facilities.folder, `nginx-${port}.conf`);
    writeFileSync(file, nginxConfiguration(task, constant));
    return {
      command: ["nginx", "-p", facilities.folder, "-c", file, "-e", "stderr"],
      scheme: feature === "TLS" ? "https" : "http",
    };
  },
};

function nginxConfiguration(
  { port, workers, feature, facilities }: PeerTask,
  { type, body }: { readonly type: string; readonly body: string },
): string {
  const pair = feature === "TLS" ? facilities.certificate() : null;
  const log = feature === "access log" ? `${facilities.accessLog}.nginx combined` : "off";
  const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `  ${name}_temp_path ${join(facilities.folder, name)};`,
  );
  return `daemon off;
worker_processes ${workers};
pid ${join(facilities.folder, `nginx-${port}.pid`)};
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log ${log};
  keepalive_requests 1000000000;
  keepalive_timeout 255s;
${scratch.join("\n")}
  server {
    listen 127.0.0.1:${port}${pair === null ? "" : " ssl"};
${pair === null ? "" : `    ssl_certificate ${pair.certificate};\n    ssl_certificate_key ${pair.key};\n`}\
    default_type ${type};
    location / { return 200 '${body}'; }
  }
}
`;
}

interface PythonServer {
  readonly name: string;
  readonly program: string;
  readonly package: string;
  readonly module: "wsgi" | "asgi";
  readonly words: (task: PeerTask) => readonly string[];
  /** What switches on the access log in a file; absent where there is no such flag. */
  readonly accessLog?: (facilities: Facilities) => readonly string[];
}

function python(server: PythonServer): Peer {
  return {
    name: server.name,
    version: () => programVersion(server.program),
    install: `pip install ${server.package}`,
    command(task) {
      const { app, feature, facilities } = task;
      const callable = pythonNames[app];
      const log = feature === "access log" ? server.accessLog?.(facilities) : [];
      const knownFeature = feature === null || feature === "access log";
      if (callable === undefined || log === undefined || !knownFeature) {
        return without(task);
      }
      const target = `${server.module}:${callable}`;
      return {
        command: [server.program, ...server.words(task), ...log, target],
        cwd: folder,
        env: { PYTHONDONTWRITEBYTECODE: "1" },
        audible: false,
      };
    },
  };
}

function gunicornOf(kind: "gthread" | "asgi"): Peer {
  const threads = kind === "gthread" ? ["--threads", "8"] : [];
  return python({
    name: `gunicorn ${kind}`,
    program: "gunicorn",
    package: "gunicorn",
    module: kind === "asgi" ? "asgi" : "wsgi",
    words: ({ port, workers }) => [
      "-k",
      kind,
      "-w",
      String(workers),
      ...threads,
      "-b",
      `127.0.0.1:${port}`,
      "--keep-alive",
      "75",
      "--log-level",
      "warning",
    ],
    accessLog: ({ accessLog }) => ["--access-logfile", `${accessLog}.${kind}`],
  });
}

export const otherPeers: readonly Peer[] = [
  nginx,
  gunicornOf("gthread"),
  gunicornOf("asgi"),
  python({
    name: "uvicorn",
    program: "uvicorn",
    package: "'uvicorn[standard]'",
    module: "asgi",
    words: ({ port, workers, feature }) => [
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      "--workers",
      String(workers),
      "--timeout-keep-alive",
      "75",
      "--log-level",
      "warning",
      ...(feature === null ? ["--no-access-log"] : []),
    ],
  }),
  python({
    name: "granian",
    program: "granian",
    package: "granian",
    module: "asgi",
    words: ({ port, workers }) => [
      "--interface",
      "asgi",
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      "--workers",
      String(workers),
      "--log-level",
      "warning",
    ],
  }),
];
