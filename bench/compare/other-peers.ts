/** nginx, which runs no app, and the servers of Python. */
import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Facilities } from "../servers/facilities.ts";
import {
  type Peer,
  type PeerTask,
  programVersion,
  without,
  writtenApp,
  writtenAppEnv,
} from "./peer.ts";

const folder = join(import.meta.dir, "../apps/peers");

const rows = Array.from({ length: 10 }, (_, id) => ({ id, name: `Item ${id}`, price: id * 1.5 }));

/** What nginx answers in place of the apps of bench/apps: their texts as they are, or the file. */
function answerOf(app: string): string | null {
  const file = writtenApp(app)?.file ?? null;
  if (file !== null) {
    return `root ${dirname(file)}; location / { try_files /${basename(file)} =404; }`;
  }
  switch (app) {
    case "hello":
      return "default_type text/plain; location / { return 200 'Hello, World!\\n'; }";
    case "json": {
      const body = JSON.stringify({ message: "Hello, World!", rows });
      return `default_type application/json; location / { return 200 '${body}'; }`;
    }
    default:
      return null;
  }
}

const nginx: Peer = {
  name: "nginx, no app",
  version: () => programVersion("nginx", ["-v"]),
  install: "apt-get install nginx",
  command(task) {
    const { app, port, feature, facilities } = task;
    const answer = answerOf(app);
    const pair = feature === "TLS" ? facilities.certificate() : null;
    if (answer === null || feature === "statsD" || (feature === "TLS" && pair === null)) {
      return without(task);
    }
    const file = join(facilities.folder, `nginx-${port}.conf`);
    writeFileSync(file, nginxConfiguration(task, answer));
    return {
      command: ["nginx", "-p", facilities.folder, "-c", file, "-e", "stderr"],
      scheme: feature === "TLS" ? "https" : "http",
    };
  },
};

function nginxConfiguration(
  { port, workers, feature, facilities }: PeerTask,
  answer: string,
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
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 255s;
${scratch.join("\n")}
  server {
    listen 127.0.0.1:${port}${pair === null ? "" : " ssl"};
${pair === null ? "" : `    ssl_certificate ${pair.certificate};\n    ssl_certificate_key ${pair.key};\n`}\
    ${answer}
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
      const written = writtenApp(app);
      const log = feature === "access log" ? server.accessLog?.(facilities) : [];
      const knownFeature = feature === null || feature === "access log";
      if (written === null || log === undefined || !knownFeature) return without(task);
      // `json` is Python's own module.
      const target = `${server.module}:${written.name === "json" ? "to_json" : written.name}`;
      return {
        command: [server.program, ...server.words(task), ...log, target],
        cwd: folder,
        env: { ...writtenAppEnv(written), PYTHONDONTWRITEBYTECODE: "1" },
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
