/** Real peers for a test: nginx and haproxy in front of the server, each with its own folder and port, and curl as a client. */
import { describe } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { until } from "./server.ts";

/** Debian has nginx and haproxy where only root's PATH leads. */
const searchPath = `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin`;

export function toolPath(tool: string): string | null {
  return Bun.which(tool, { PATH: searchPath });
}

/** A describe() that is skipped, with the reason in its name, on a machine without these tools. CI has them all. */
export function describeWith(tools: readonly string[], name: string, body: () => void): void {
  const missing = tools.filter((tool) => toolPath(tool) === null);
  if (missing.length === 0) describe(name, body);
  else describe.skip(`${name} (not installed here: ${missing.join(", ")})`, body);
}

/** An app that answers with what it was sent: facts as JSON, the body as its length and hash. */
export const mirrorApp = `
  const sizes = { "/large": 20_000_000, "/huge": 100_000_000 };
  async function measure(body) {
    const hash = new Bun.CryptoHasher("sha256");
    let bytes = 0;
    for await (const piece of body ?? []) { hash.update(piece); bytes += piece.length; }
    return { bytes, sha256: hash.digest("hex") };
  }
  const line = "0123456789abcdefghijklmnopqrstuvwxyz".repeat(1000);
  async function* repeat(size) {
    for (let left = size; left > 0; left -= line.length) yield Buffer.from(line.slice(0, left));
  }
  export async function fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname in sizes) return new Response(new ReadableStream(repeatSource(sizes[pathname])));
    if (pathname === "/refuse") return new Response("unread", { status: 409 });
    if (pathname === "/missing") return new Response("not here", { status: 404 });
    if (pathname === "/text") return new Response("0123456789abcdef", { headers: { "accept-ranges": "none" } });
    if (pathname === "/stream") return new Response(new ReadableStream(repeatSource(100_000)));
    if (pathname === "/gzip") return new Response(Bun.gzipSync(Buffer.from(line)), { headers: { "content-encoding": "gzip" } });
    const facts = {
      pid: process.pid, method: request.method, url: request.url,
      headers: Object.fromEntries(request.headers), peer: server.requestIP(request),
      body: await measure(request.body),
    };
    return Response.json(facts, { headers: { "x-method": request.method } });
  }
  function repeatSource(size) {
    const pieces = repeat(size);
    return { async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close(); else controller.enqueue(value);
    } };
  }
`;

/** What mirrorApp streams for a size. */
export function repeatedText(size: number): string {
  const line = "0123456789abcdefghijklmnopqrstuvwxyz";
  return line.repeat(Math.ceil(size / line.length)).slice(0, size);
}

export function sha256(data: string | Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(data).digest("hex");
}

/** mirrorApp's answer. */
export interface Mirrored {
  readonly pid: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly peer: { readonly address: string; readonly family: string; readonly port: number };
  readonly body: { readonly bytes: number; readonly sha256: string };
}

export function mirrored(text: string): Mirrored {
  return JSON.parse(text) as Mirrored;
}

/** One process without children, so that its pid is all there is to kill. */
export class Peer implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-peer-"));
  readonly port: number;
  #process: Bun.Subprocess<"ignore", "pipe", "pipe"> | null = null;
  #log = "";

  constructor(hostname: string) {
    this.port = freePort(hostname);
  }

  get log(): string {
    return this.#log;
  }

  /** Writes the configuration, runs the command, and waits until the port takes connections. */
  async run(hostname: string, config: string, command: (file: string) => string[]): Promise<this> {
    const file = join(this.folder, "peer.conf");
    writeFileSync(file, `${config}\n`);
    const running = Bun.spawn(command(file), {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = running;
    void this.#collect(running.stdout);
    void this.#collect(running.stderr);
    await until("the peer to listen", () => {
      if (running.exitCode !== null) throw new Error(`the peer ended:\n${this.#log}`);
      return accepts(hostname, this.port);
    });
    return this;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#log += decoder.decode(chunk, { stream: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function accepts(hostname: string, port: number): Promise<boolean> {
  const socket = await Bun.connect({ hostname, port, socket: { data() {} } }).catch(() => null);
  socket?.end();
  return socket !== null;
}

/** Starts a peer; another program may have taken the free port meanwhile, so a failure gets two more chances. */
async function startPeer(start: (peer: Peer) => Promise<Peer>, hostname: string): Promise<Peer> {
  for (let chances = 2; ; chances--) {
    const peer = new Peer(hostname);
    try {
      return await start(peer);
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      if (chances === 0 || !/in use|cannot bind/i.test(peer.log)) throw error;
    }
  }
}

/** Lines for nginx's http block: the folders that it would have in /var/lib, below one that exists. */
export function temporaryPaths(folder: string): string {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
}

/**
 * nginx in front of a server, with kept connections to it; `location` holds more lines.
 * @param upstream a port, or the path of a unix socket
 */
export function nginx(upstream: number | string, location = ""): Promise<Peer> {
  const server = typeof upstream === "number" ? `127.0.0.1:${upstream}` : `unix:${upstream}`;
  return startPeer(
    (peer) =>
      peer.run(
        "127.0.0.1",
        `daemon off;
        master_process off;
        pid ${peer.folder}/nginx.pid;
        error_log stderr warn;
        events { worker_connections 256; }
        http {
          access_log off;
          client_max_body_size 0;
          ${temporaryPaths(peer.folder)}
          upstream app { server ${server}; keepalive 16; }
          server {
            listen 127.0.0.1:${peer.port};
            location / {
              proxy_pass http://app;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_set_header Host $http_host;
              proxy_set_header X-Forwarded-Proto https;
              ${location}
            }
          }
        }`,
        (file) => nginxCommand(peer.folder, file),
      ),
    "127.0.0.1",
  );
}

/** nginx with its paths below the folder, and the errors before it has read the file shown. */
export function nginxCommand(folder: string, file: string): string[] {
  return [toolPath("nginx") as string, "-e", "stderr", "-p", folder, "-c", file];
}

/** haproxy in front of servers; `backend` holds the lines of its backend. */
export function haproxy(backend: string, hostname = "127.0.0.1"): Promise<Peer> {
  return startPeer(
    (peer) =>
      peer.run(
        hostname,
        `defaults
          mode http
          timeout client 30s
          timeout server 30s
          timeout connect 5s
        frontend front
          bind ${hostname}:${peer.port}
          stats enable
          stats uri /haproxy-stats
          default_backend app
        backend app
          ${backend}
        `,
        (file) => [toolPath("haproxy") as string, "-db", "-f", file],
      ),
    hostname,
  );
}

export interface CurlResult {
  readonly code: number;
  readonly output: string;
  /** Messages, and with -v the fields that were sent and received. */
  readonly notes: string;
}

/** Runs curl to its end. */
export async function curl(
  args: readonly string[],
  input: Blob | "ignore" = "ignore",
): Promise<CurlResult> {
  const running = Bun.spawn([toolPath("curl") as string, "-sS", "--max-time", "100", ...args], {
    stdio: [input, "pipe", "pipe"],
    // No ~/.curlrc and no proxy of the environment.
    env: { HOME: "/nonexistent" },
  });
  const [output, notes, code] = await Promise.all([
    running.stdout.text(),
    running.stderr.text(),
    running.exited,
  ]);
  return { code, output, notes };
}
