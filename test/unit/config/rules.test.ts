import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../../src/api/errors.ts";
import { resolveConfig } from "../../../src/config/sources/resolve.ts";

function resolve(words: string, env: Record<string, string> = {}) {
  return resolveConfig({
    argv: words.split(" "),
    env,
    cwd: import.meta.dir,
    generation: 1,
    platform: "linux",
    cpuCount: () => 7,
  });
}

const reads = "Bun.serve reads requests itself";

describe("checkRules() with worker class serve", () => {
  test.each([
    ["--limit-request-line 100", `--limit-request-line: ${reads}, with a limit of its own`],
    ["--limit-request-fields 100", `--limit-request-fields: ${reads} and doesn't count fields`],
    ["--limit-request-field_s 9", `--limit-request-field_size: ${reads}, with a limit of its own`],
    [
      "--keep-alive 2",
      "--keep-alive: Bun.serve has one idle timer for keep-alive, uploads and responses together, the app's option idleTimeout",
    ],
    [
      "--limit-request-body 9",
      `--limit-request-body: ${reads}, its limit is the app's option maxRequestBodySize`,
    ],
    ["-e SCRIPT_NAME=/a", `SCRIPT_NAME: ${reads} and makes their URLs`],
    [
      "--asgi-disconnect-grace-period 3",
      "--asgi-disconnect-grace-period: Bun.serve aborts a request as soon as its client sends FIN",
    ],
    ["--backlog 9", "--backlog: Bun.serve opens its own sockets and takes no backlog"],
  ])("refuses %s", async (words, text) => {
    const message = text.replace(": ", ": can't be set with worker class serve: ");
    await expect(resolve(`-k serve ${words}`)).rejects.toThrow(new ConfigError(message));
    await resolve(`-k async ${words}`);
  });

  test("refuses SCRIPT_NAME of the environment, unless it is empty in the end", async () => {
    const env = { SCRIPT_NAME: "/app" };
    await expect(resolve("-k serve", env)).rejects.toThrow("SCRIPT_NAME: can't be set with");
    await resolve("-k serve", { SCRIPT_NAME: "" });
    await resolve("-k serve -e SCRIPT_NAME=", env);
    await resolve("-k async", env);
  });

  test("refuses a shared socket", async () => {
    await expect(resolve("-k serve --no-reuse-port")).rejects.toThrow(
      new ConfigError(
        "--reuse-port: can't be false with worker class serve: each Bun.serve opens a socket of its own",
      ),
    );
    await resolve("-k serve --reuse-port");
  });

  test("refuses to ask for certificates of clients and let in who has none", async () => {
    const words = "--certfile a.pem --ca-certs b.pem --cert-reqs";
    await expect(resolve(`-k serve ${words} 1`)).rejects.toThrow(
      new ConfigError(
        "--cert-reqs: can't be 1 with worker class serve: Bun.serve would let in clients with anybody's certificate, use --worker-class async",
      ),
    );
    await resolve(`-k serve ${words} 2`);
    await resolve(`-k async ${words} 1`);
  });

  test.each(["unix:app.sock", "fd://3"])("refuses to take over %s", async (bind) => {
    await expect(resolve(`-k serve -b :0 -b ${bind}`)).rejects.toThrow(
      new ConfigError(
        `--bind: ${bind}: worker class serve can't take over sockets, use --worker-class async`,
      ),
    );
    await resolve(`-k async -b ${bind}`);
  });

  test("allows what Bun.serve can do", async () => {
    const { config } = await resolve("-k serve -w 2 --max-requests 9 --timeout 5 --env A=1");
    expect(config.workerClass).toBe("serve");
  });
});

test("a share of traces that nobody gets is refused", async () => {
  await expect(resolve("--otel-sample 0.5")).rejects.toThrow(
    new ConfigError("--otel-sample: needs otel_endpoint, which isn't set"),
  );
  await resolve("--otel-sample 0.5 --otel-endpoint env");
});

test("paths that are exempt from what is off are refused", async () => {
  await expect(resolve("--shed-exempt /health")).rejects.toThrow(
    new ConfigError("--shed-exempt: needs shed_latency_ms, which is 0"),
  );
  await resolve("--shed-exempt /health --shed-latency-ms 50");
});

test.each([
  ["--tls-watch", "--tls-watch: needs certfile or tls, which aren't set"],
  ["--no-tls-watch", "--tls-watch: needs certfile or tls, which aren't set"],
])("what would do nothing without TLS is refused: %s", async (words, message) => {
  await expect(resolve(words)).rejects.toThrow(new ConfigError(message));
  await resolve(`--certfile cert.pem ${words}`);
});

describe("checkRules() with autoscale", () => {
  test.each([
    ["--autoscale 2..8", {}, 2],
    ["--autoscale 2..8 -w 8", {}, 8],
    ["--autoscale 2..auto -w auto", {}, 7],
    ["--autoscale 2..8", { WEB_CONCURRENCY: "3" }, 3],
    ["--autoscale 2..8", { WEB_CONCURRENCY: " " }, 2],
    ["--autoscale 1..8 -k serve", {}, 1],
    ["--autoscale 1..8 --no-reuse-port", {}, 1],
  ])("%s begins with a number between its bounds", async (words, env, workers) => {
    expect((await resolve(words, env as Record<string, string>)).config.workers).toBe(workers);
  });

  test.each([
    ["--autoscale 2..8 -w 1", {}, "--workers", 1],
    ["--autoscale 2..8 -w 9", {}, "--workers", 9],
    ["--autoscale 2..8", { WEB_CONCURRENCY: "12" }, "WEB_CONCURRENCY", 12],
  ])("%s %p is refused", async (words, env, place, got) => {
    const why = `must be from 2 to 8, between which autoscale begins with it, got ${got}`;
    await expect(resolve(words, env as Record<string, string>)).rejects.toThrow(
      new ConfigError(`${place}: ${why}`),
    );
  });
});
