import { expect, test } from "bun:test";
import { curl, describeWith, haproxy, mirrorApp, mirrored } from "../support/peers.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, until } from "../support/server.ts";

const app = { "app.ts": mirrorApp };

/** The arguments that make curl a client of another address than haproxy's own, and its answer's two lines. */
const fromElsewhere = ["--interface", "127.0.0.2", "-w", "\n%{local_port}"];

const versions = [
  ["send-proxy", "auto"],
  ["send-proxy-v2", "auto"],
  ["send-proxy", "v1"],
  ["send-proxy-v2", "v2"],
] as const;

describeWith(["haproxy", "curl"], "haproxy in front", () => {
  test.each([...versions])(
    "%s to --proxy-protocol %s: requestIP is the client",
    async (word, mode) => {
      await using server = await gunicorn({ files: app, args: ["--proxy-protocol", mode] });
      await using proxy = await haproxy(`server one 127.0.0.1:${server.port} ${word}`);
      const { code, output, notes } = await curl([
        ...fromElsewhere,
        "-d",
        "some data",
        `http://127.0.0.1:${proxy.port}/a?b`,
      ]);
      expect([code, notes]).toEqual([0, ""]);
      const [json = "", port] = output.split("\n");
      const seen = mirrored(json);
      expect(seen.peer).toEqual({ address: "127.0.0.2", family: "IPv4", port: Number(port) });
      expect([seen.method, seen.url, seen.body.bytes]).toEqual([
        "POST",
        `http://127.0.0.1:${proxy.port}/a?b`,
        9,
      ]);
      // Without a header the peer of the socket stays the client.
      const plain = await curl(["-w", "\n%{local_port}", server.url]);
      const [direct = "", own] = plain.output.split("\n");
      expect(mirrored(direct).peer).toEqual({
        address: "127.0.0.1",
        family: "IPv4",
        port: Number(own),
      });
    },
  );

  test.each(["send-proxy", "send-proxy-v2"])("%s of a client on IPv6", async (word) => {
    await using server = await gunicorn({ files: app, args: ["--proxy-protocol", "auto"] });
    await using proxy = await haproxy(`server one 127.0.0.1:${server.port} ${word}`, "::1");
    const url = `http://[::1]:${proxy.port}/`;
    const { code, output } = await curl(["-g", "-w", "\n%{local_port}", url]);
    expect(code).toBe(0);
    const [json = "", port] = output.split("\n");
    expect(mirrored(json).peer).toEqual({ address: "::1", family: "IPv6", port: Number(port) });
  });

  const refusals: readonly { word: string; args: string[]; status: string }[] = [
    { word: "send-proxy", args: ["--proxy-protocol", "off"], status: "400" },
    { word: "send-proxy-v2", args: ["--proxy-protocol", "off"], status: "400" },
    { word: "send-proxy", args: ["--proxy-protocol", "v2"], status: "400" },
    { word: "send-proxy-v2", args: ["--proxy-protocol", "v1"], status: "400" },
    ...["send-proxy", "send-proxy-v2"].map((word) => ({
      word,
      args: ["--proxy-protocol", "auto", "--proxy-allow-from", "10.0.0.1,192.168.0.0/16"],
      status: "403",
    })),
  ];
  test.each([...refusals])(
    "$word with $args is answered with $status",
    async ({ word, args, status }) => {
      await using server = await gunicorn({ files: app, args });
      await using proxy = await haproxy(`server one 127.0.0.1:${server.port} ${word}`);
      const url = `http://127.0.0.1:${proxy.port}/`;
      // Twice: haproxy, too, finds nothing on the connection that the refusal left behind.
      const refused = await curl([
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} ",
        url,
        "-o",
        "/dev/null",
        url,
      ]);
      expect(refused).toEqual({ code: 0, output: `${status} ${status} `, notes: "" });
      expect(mirrored((await curl([server.url])).output).peer.address).toBe("127.0.0.1");
    },
  );

  test.each(["send-proxy", "send-proxy-v2"])(
    "%s: one connection carries a client's requests, another client gets its own",
    async (word) => {
      await using server = await gunicorn({
        files: app,
        args: ["--proxy-protocol", "auto", "--keep-alive", "300"],
      });
      await using proxy = await haproxy(
        `http-reuse always\n          server one 127.0.0.1:${server.port} ${word}`,
      );
      const ask = async (client: RawClient, body: string) => {
        const answer = await client.ask(
          `POST / HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        expect(answer.status).toBe(200);
        const seen = mirrored(answer.body.toString());
        expect(seen.body.bytes).toBe(body.length);
        return seen.peer.port;
      };
      using first = await RawClient.connect(proxy.port);
      using second = await RawClient.connect(proxy.port);
      for (let count = 0; count < 25; count++) {
        expect(await ask(first, "x".repeat(count))).toBe(first.port);
        expect(await ask(second, "y".repeat(count))).toBe(second.port);
      }
      const { output } = await curl([`http://127.0.0.1:${proxy.port}/haproxy-stats;csv`]);
      const { reuse, connect } = backendRow(output, "one");
      expect([Number(connect), Number(reuse)]).toEqual([2, 48]);
    },
  );

  test("health checks, of the kind that only connect and of the kind that ask, upset nothing", async () => {
    await using server = await gunicorn({
      files: {
        "app.ts": `${mirrorApp.replace("function fetch(", "function mirror(")}
          export const fetch = (request, server) => {
            if (request.url.endsWith("/health")) console.error("checked by", server.requestIP(request).address);
            return mirror(request, server);
          };`,
      },
      args: ["--proxy-protocol", "v2", "--log-level", "debug"],
    });
    const workers = server.workers();
    const at = `127.0.0.1:${server.port}`;
    // The interval is also the time that a check may take.
    const check = "send-proxy-v2 check check-send-proxy inter 1s";
    const asked = Array.from({ length: 10 }, (_, number) => `server asked${number} ${at} ${check}`);
    await using proxy = await haproxy(
      `option httpchk GET /health HTTP/1.1
          http-check send hdr Host test
          timeout check 30s
          ${asked.join("\n          ")}
        backend connecting
          timeout check 30s
          server connected ${at} ${check}`,
    );
    const stats = async (name: string) => {
      const { output } = await curl([`http://127.0.0.1:${proxy.port}/haproxy-stats;csv`]);
      return backendRow(output, name);
    };
    await until("ten checks", () => (server.log.match(/checked by/g)?.length ?? 0) >= 10);
    await until("checks of both kinds", async () => {
      const kinds = [
        (await stats("asked0"))["check_status"],
        (await stats("connected"))["check_status"],
      ];
      return kinds.join() === "L7OK,L4OK";
    });
    const { code, output } = await curl([...fromElsewhere, `http://127.0.0.1:${proxy.port}/`]);
    expect(code).toBe(0);
    expect(mirrored(output.split("\n")[0] ?? "").peer.address).toBe("127.0.0.2");
    for (const name of ["asked0", "connected"]) {
      const { status, chkfail, chkdown } = await stats(name);
      expect([name, status, chkfail, chkdown]).toEqual([name, "UP", "0", "0"]);
    }
    // LOCAL names nobody: the checks are haproxy's own requests.
    expect(new Set(server.log.match(/checked by .*/g))).toEqual(new Set(["checked by 127.0.0.1"]));
    expect(server.log).not.toMatch(/\[(WARNING|ERROR|CRITICAL)\]|Invalid request/);
    expect(server.workers()).toEqual(workers);
  });

  test("curl's own PROXY line is taken, and refused where it is off", async () => {
    await using server = await gunicorn({ files: app, args: ["--proxy-protocol", "v1"] });
    const taken = await curl(["--haproxy-protocol", ...fromElsewhere, server.url]);
    expect(taken.code).toBe(0);
    await using other = await gunicorn({ files: app });
    const refused = await curl(["--haproxy-protocol", "--fail", other.url]);
    expect([refused.code, refused.output]).toEqual([22, ""]);
    expect(refused.notes).toContain("400");
  });
});

/** The line of haproxy's statistics about a server, by column. */
function backendRow(csv: string, name: string): Readonly<Record<string, string>> {
  const [titles = "", ...lines] = csv.replace(/^# /, "").split("\n");
  const line = lines.find((text) => text.split(",")[1] === name) ?? "";
  const values = line.split(",");
  return Object.fromEntries(titles.split(",").map((title, index) => [title, values[index] ?? ""]));
}
