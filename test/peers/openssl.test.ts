/** TLS as openssl and curl see it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type Made, Certificates } from "../support/certificates.ts";
import { curl, describeWith } from "../support/peers.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";
import { get } from "../support/wire.ts";

setDefaultTimeout(120_000);

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());

const closing = get("/", "Connection: close");
/** Lets openssl offer what it holds for too weak itself. */
const all = "@SECLEVEL=0";

interface Said {
  readonly code: number;
  /** Both outputs. */
  readonly text: string;
}

/** Runs s_client to its end. With an input it stays until the server closes. */
async function sClient(port: number, args: readonly string[], input = ""): Promise<Said> {
  const to = ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost"];
  const stay = input === "" ? [] : ["-ign_eof"];
  const run = Bun.spawn(["openssl", ...to, ...stay, ...args], {
    stdio: [new Blob([input]), "pipe", "pipe"],
  });
  const [output, notes, code] = await Promise.all([
    run.stdout.text(),
    run.stderr.text(),
    run.exited,
  ]);
  return { code, text: output + notes };
}

describeWith(["openssl"], "openssl s_client", () => {
  let authority: Made;
  let elliptic: RunningServer;
  let rsa: RunningServer;
  const app = `export const fetch = () => new Response("hello");`;

  beforeAll(async () => {
    authority = certificates.make({ name: "Authority", ca: true });
    const [first, second] = await Promise.all([serve("ec"), serve("rsa")]);
    elliptic = first;
    rsa = second;
  });
  afterAll(async () => {
    await elliptic[Symbol.asyncDispose]();
    await rsa[Symbol.asyncDispose]();
  });

  function serve(key: "ec" | "rsa"): Promise<RunningServer> {
    const between = certificates.make({ name: "Between", ca: true, by: authority });
    const leaf = certificates.make({ by: between, key, names: ["IP:127.0.0.1"] });
    const files = ["--certfile", leaf.chainfile, "--keyfile", leaf.keyfile];
    return gunicorn({ args: [...files, "--keep-alive", "300"], files: { "app.ts": app } });
  }

  test.each([
    ["1.3", ["-tls1_3"], "New, TLSv1.3"],
    ["1.2", ["-tls1_2"], "New, TLSv1.2"],
    ["1.2 with AES-128", ["-tls1_2", "-cipher", "ECDHE+AES128+AESGCM"], "AES128-GCM-SHA256"],
    ["1.2 with AES-256", ["-tls1_2", "-cipher", "ECDHE+AES256+AESGCM"], "AES256-GCM-SHA384"],
    ["1.2 with ChaCha20", ["-tls1_2", "-cipher", "ECDHE+CHACHA20"], "CHACHA20-POLY1305"],
    ["ALPN http/1.1", ["-alpn", "http/1.1"], "ALPN protocol: http/1.1"],
    ["ALPN h2 and http/1.1", ["-alpn", "h2,http/1.1"], "ALPN protocol: http/1.1"],
    ["no ALPN", [], "No ALPN negotiated"],
  ])("takes %s", async (_claim, args, said) => {
    for (const server of [elliptic, rsa]) {
      const chain = ["-CAfile", authority.certfile, "-verify_return_error"];
      const { code, text } = await sClient(server.port, [...args, ...chain], closing);
      expect([code, text]).toEqual([0, expect.stringContaining(said)]);
      expect(text).toContain("Verify return code: 0 (ok)");
      expect(text).toContain("HTTP/1.1 200 OK\r\n");
    }
  });

  test.each([
    ["1.1", ["-tls1_1", "-cipher", `ALL:${all}`], "alert protocol version"],
    ["1.0", ["-tls1", "-cipher", `ALL:${all}`], "alert protocol version"],
    ["RSA key exchange", ["-tls1_2", "-cipher", `kRSA:${all}`], "alert handshake failure"],
    ["DHE", ["-tls1_2", "-cipher", `kDHE:${all}`], "alert handshake failure"],
    ["no authentication", ["-tls1_2", "-cipher", `aNULL:${all}`], "alert handshake failure"],
    ["no encryption", ["-tls1_2", "-cipher", `eNULL:${all}`], "alert handshake failure"],
    ["CBC", ["-tls1_2", "-cipher", `ECDHE+AES:!AESGCM:!AESCCM:${all}`], "alert handshake failure"],
    ["another protocol by ALPN", ["-alpn", "imap"], "alert no application protocol"],
  ])("is refused %s", async (_claim, args, said) => {
    for (const server of [elliptic, rsa]) {
      const { code, text } = await sClient(server.port, args);
      expect([code, text]).toEqual([1, expect.stringContaining(said)]);
    }
  });

  test("-reconnect resumes its session: 1.2", async () => {
    const { text } = await sClient(elliptic.port, ["-tls1_2", "-reconnect"]);
    expect(text.match(/^New, TLSv1\.2/gm)).toHaveLength(1);
    expect(text.match(/^Reused, TLSv1\.2/gm)).toHaveLength(5);
  });

  test("a session is resumed, without early data: 1.3", async () => {
    const session = join(certificates.folder, "session");
    const first = await sClient(elliptic.port, ["-tls1_3", "-sess_out", session], closing);
    expect(first.text).toContain("New, TLSv1.3");
    // RFC 8446 §8: who replays it, replays a request.
    expect(first.text).toContain("Max Early Data: 0");
    const second = await sClient(elliptic.port, ["-tls1_3", "-sess_in", session], closing);
    expect(second.text).toContain("Reused, TLSv1.3");
    expect(second.text).toContain("HTTP/1.1 200 OK\r\n");
  });

  test.each(["-tls1_2", "-tls1_3"])("close_notify ends a connection: %s", async (version) => {
    const { code, text } = await sClient(elliptic.port, [version, "-msg"], closing);
    expect(text).toMatch(/^<<< TLS 1\.[23], Alert \[length 0002\], warning close_notify$/m);
    expect(code).toBe(0);
  });

  test("a renegotiation is refused", async () => {
    const run = Bun.spawn(
      ["openssl", "s_client", "-connect", `127.0.0.1:${elliptic.port}`, "-tls1_2"],
      {
        stdio: ["pipe", "pipe", "pipe"],
      },
    );
    let text = "";
    const collected = [run.stdout, run.stderr].map(async (stream) => {
      for await (const piece of stream) text += Buffer.from(piece).toString("latin1");
    });
    await until("the handshake", () => text.includes("Verify return code"));
    run.stdin.write("R\n");
    await run.stdin.flush();
    expect(await run.exited).toBe(1);
    await Promise.all(collected);
    expect(text).toContain("RENEGOTIATING");
    expect(text).toMatch(/alert|no renegotiation|unexpected eof|write:errno/);
    const response = await elliptic.fetch();
    expect(await response.text()).toBe("hello");
  });

  test.each<[string, string[], number, string]>([
    ["its certificate is trusted", ["URL"], 0, "hello|1.1|0"],
    ["-k", ["-k", "URL"], 0, "hello|1.1"],
    ["1.2 at most", ["--tls-max", "1.2", "URL"], 0, "hello|1.1"],
    ["1.3 at least", ["--tlsv1.3", "URL"], 0, "hello|1.1"],
    ["1.1 at most", ["--tls-max", "1.1", "URL"], 35, ""],
    ["--http2 where there is none", ["--http2", "URL"], 0, "hello|1.1"],
    ["a mebibyte sent", ["-H", "Expect:", "--data-binary", "@BODY", "URL"], 0, "hello|1.1"],
    ["--http1.0", ["--http1.0", "URL"], 0, "hello|1.1"],
    ["two on one connection", ["URL", "URL"], 0, "hello|1.1|0|1|hello|1.1|0|0|"],
  ])("curl: %s", async (_claim, args, code, output) => {
    const body = certificates.file("body", Buffer.alloc(1_048_576, "x"));
    const words = args.map((word) => word.replace("URL", elliptic.url).replace("BODY", body));
    const facts = "|%{http_version}|%{ssl_verify_result}|%{num_connects}|";
    const trust = ["--cacert", authority.certfile];
    const result = await curl([...trust, "-w", facts, ...words]);
    expect(result.code, result.notes).toBe(code);
    if (code === 0) expect(result.output).toStartWith(output);
  });
});
