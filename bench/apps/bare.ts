/**
 * The other side of each comparison: `bun bare.ts APP PORT [PROCESSES [CERTIFICATE KEY]]` serves the same app with a
 * bare Bun.serve, in one process or, with reusePort, in several.
 */
const [, script = "", app = "", port = "", processes = "1", certificate, key] = process.argv;

/** As gunicorn-ts has them by default: its own has some without forward secrecy. */
const ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

if (Number(processes) > 1) {
  const words = [process.execPath, script, app, port, "shared", certificate ?? "", key ?? ""];
  const children = Array.from({ length: Number(processes) }, () =>
    Bun.spawn(words, { stdio: ["ignore", "inherit", "inherit"] }),
  );
  await Promise.all(children.map((child) => child.exited));
} else {
  const { fetch } = (await import(app)) as {
    fetch(request: Request): Response | Promise<Response>;
  };
  const secure = certificate !== undefined && certificate !== "" && key !== undefined;
  Bun.serve({
    hostname: "127.0.0.1",
    port: Number(port),
    reusePort: processes === "shared",
    development: false,
    // Its longest: idle connections are counted, not cut.
    idleTimeout: 255,
    ...(secure ? { tls: { cert: Bun.file(certificate), key: Bun.file(key), ciphers } } : {}),
    fetch: (request) => fetch(request),
  });
}
