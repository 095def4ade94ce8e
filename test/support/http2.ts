/** Servers and clients of HTTP/2 for a test. */
import http2 from "node:http2";
import { type CurlResult, curl, toolPath } from "./peers.ts";
import { type RunningServer, type ServerOptions, start, until } from "./server.ts";

/** Starts a `serve` server, and waits until curl has an answer of its first address. */
export async function serveHttp2(
  options: ServerOptions,
  asks: readonly string[] = ["--http2"],
): Promise<RunningServer> {
  const { args = [] } = options;
  const server = start({ ...options, args: ["-k", "serve", "--access-logfile", "-", ...args] });
  await server.logged("Using worker:");
  await until(`an answer; log:\n${server.log}`, async () => {
    if (server.ended()) throw new Error(`the server ended:\n${server.log}`);
    const { code } = await curl(["-k", ...asks, "-o", "/dev/null", server.url]);
    return code === 0;
  });
  return server;
}

/** What curl gets for a URL: `2 200 body`, with the protocol's version first. */
export async function ask(url: string, ...args: readonly string[]): Promise<string> {
  const { code, output, notes } = await curl([
    "-k",
    "-w",
    "\n%{http_version} %{http_code}",
    ...args,
    url,
  ]);
  const [, body = "", facts = ""] = /^([^]*)\n(.*)$/.exec(output) ?? [];
  return code === 0 ? `${facts} ${body}` : `curl: ${code} ${notes.trim()}`;
}

/** Runs nghttp or h2load to its end; both take any certificate. */
export async function nghttp2(
  tool: "nghttp" | "h2load",
  args: readonly string[],
): Promise<CurlResult> {
  const running = Bun.spawn([toolPath(tool) as string, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, notes, code] = await Promise.all([
    running.stdout.text(),
    running.stderr.text(),
    running.exited,
  ]);
  return { code, output, notes };
}

export function connect(url: string): http2.ClientHttp2Session {
  return http2.connect(url, { rejectUnauthorized: false });
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One GET; rejects with what ends its stream before the answer is whole. */
export function get(session: http2.ClientHttp2Session, path: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const stream = session.request({ ":path": path });
  let status = 0;
  let body = "";
  let ended = false;
  stream.setEncoding("utf8");
  stream.on("response", (fields) => (status = Number(fields[":status"])));
  stream.on("data", (text: string) => (body += text));
  stream.on("end", () => (ended = true));
  stream.on("error", reject);
  stream.on("close", () => {
    if (ended && status > 0) resolve({ status, body });
    else
      reject(
        new Error(`stream closed with ${stream.rstCode}, status ${status}, ${body.length} bytes`),
      );
  });
  return promise;
}
