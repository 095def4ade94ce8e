/** Bun.serve of an app: what it gets, and what becomes of what it gave. */
import { listenPrivately } from "../../../src/os/sockets/private-socket.ts";
import { afterEach, describe, expect, test } from "bun:test";
import { Capture, nativeServe } from "../../../src/app/capture.ts";
import { CapturedServer, type ServedBy } from "../../../src/app/captured-server.ts";
import { fromServer } from "../../../src/app/shape.ts";

const address = { address: "192.0.2.1", family: "IPv4", port: 8000 } as const;
const listening = {
  protocol: "http",
  url: "http://192.0.2.1:8000",
  address,
} as const;
const hello = () => new Response("hello");

afterEach(() => {
  Bun.serve = nativeServe;
});

function install() {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const capture = new Capture({
    listening,
    listenPrivately,
    log: { info: at("info"), debug: at("debug") },
  });
  capture.install();
  return { capture, lines };
}

function serverOf({ captured }: Capture): CapturedServer | null {
  return captured?.type === "serve" ? captured.server : null;
}

describe("Capture", () => {
  test("takes the first server, and opens none", async () => {
    const { capture, lines } = install();
    expect(serverOf(capture)).toBeNull();
    const server = Bun.serve({ port: 3000, fetch: hello });
    expect<unknown>(serverOf(capture)).toBe(server);
    expect(await capture.wait(0)).toBe(capture.captured);
    expect([server.port, server.hostname, server.url.href]).toEqual([
      8000,
      "192.0.2.1",
      "http://192.0.2.1:8000/",
    ]);
    expect(lines).toEqual([]);
  });

  test("a second one is told, and isn't opened", () => {
    const { capture, lines } = install();
    const first = Bun.serve({ port: 3000, fetch: hello });
    Bun.serve({ hostname: "127.0.0.1", port: 9090, fetch: hello });
    expect<unknown>(serverOf(capture)).toBe(first);
    expect(lines).toEqual([
      "info: The app's own server for 127.0.0.1, port 9090 isn't opened: the first is served",
    ]);
  });

  test("a second one on a port that the system chooses is somebody's own", async () => {
    const { lines } = install();
    Bun.serve({ port: 3000, fetch: hello });
    await using own = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: hello });
    expect(await (await fetch(own.url)).text()).toBe("hello");
    expect(lines).toEqual([]);
  });

  test.each([["before"], ["behind"]])(
    "an exported app is served; Bun.serve %s that is told",
    (when) => {
      const { capture, lines } = install();
      if (when === "behind") capture.leaveAside();
      Bun.serve({ port: 3000, fetch: hello });
      if (when === "before") capture.leaveAside();
      expect(lines).toEqual([
        "info: The app's own server for port 3000 isn't opened: the app that it exports is served",
      ]);
    },
  );

  test("waits for a server that comes later, and not for ever", async () => {
    const { capture } = install();
    expect(await capture.wait(1)).toBeNull();
    const waiting = capture.wait(60_000);
    setTimeout(() => Bun.serve({ port: 3000, fetch: hello }), 1);
    expect(await waiting).toBe(capture.captured);
  });

  test.each([[{}], [{ port: 3000 }], [{ fetch: "no" }], [null]])(
    "refuses %j as Bun.serve does, and takes nothing",
    (options) => {
      const { capture } = install();
      expect(() => Bun.serve(options as never)).toThrow(TypeError);
      expect(serverOf(capture)).toBeNull();
    },
  );
});

describe("CapturedServer", () => {
  const make = (options: object = { fetch: hello }) => {
    let stops = 0;
    const server = new CapturedServer(options as never, listening, () => void (stops += 1));
    return { server, stops: () => stops };
  };

  test("asks whoever serves, once somebody does", () => {
    const { server } = make();
    const request = new Request("http://localhost/");
    expect([server.pendingRequests, server.requestIP(request), server.upgrade(request)]).toEqual([
      0,
      null,
      false,
    ]);
    const served = {
      pendingRequests: 3,
      pendingWebSockets: 2,
      requestIP: () => address,
      timeout: () => {},
      earlyHints: () => true,
      upgrade: () => true,
      publish: () => 5,
      subscriberCount: () => 7,
    } as unknown as ServedBy;
    expect(server.earlyHints(request, {})).toBe(false);
    server.attach(served);
    expect(server.earlyHints(request, {})).toBe(true);
    expect([server.pendingRequests, server.pendingWebSockets]).toEqual([3, 2]);
    expect(server.requestIP(request)).toBe(address);
    expect([
      server.upgrade(request),
      server.publish("a", "b"),
      server.subscriberCount("a"),
    ]).toEqual([true, 5, 7]);
  });

  test("reload() changes what is asked, from the next request on", async () => {
    const { server } = make({ fetch: hello, error: () => new Response("old") });
    const app = fromServer(server, "app.ts");
    const ask = async () => (await app.fetch(new Request("http://localhost/"), null)).text();
    expect(await ask()).toBe("hello");
    server.reload({ fetch: () => new Response("anew"), error: () => new Response("new") });
    expect(await ask()).toBe("anew");
    expect(await (await app.error!(null)).text()).toBe("new");
    expect(() => server.reload({})).toThrow("needs either a routes object or a fetch handler");
  });

  test("the app's fetch gets the server that Bun.serve has answered", async () => {
    let got: unknown = null;
    const { server } = make({
      fetch(_request: Request, given: unknown) {
        got = given;
        return new Response();
      },
    });
    await fromServer(server, "app.ts").fetch(new Request("http://localhost/"), "another");
    expect(got).toBe(server);
  });

  test("stop() is told and resolves, and unref() does no harm", async () => {
    const { server, stops } = make();
    await server.stop();
    server.ref();
    server.unref();
    server.closeIdleConnections();
    expect(stops()).toBe(1);
  });

  test("fetch() asks the app", async () => {
    const { server } = make({
      fetch: (request: Request) => new Response(request.url),
    });
    expect(await (await server.fetch("/a")).text()).toBe("http://192.0.2.1:8000/a");
    const request = new Request("http://localhost/b");
    expect(await (await server.fetch(request)).text()).toBe("http://localhost/b");
  });

  test("has every member of Bun's Server", async () => {
    await using native = nativeServe({ port: 0, fetch: hello });
    const members = Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(native)));
    const { server } = make();
    expect(members.filter((name) => !(name in server))).toEqual([]);
  });
});
